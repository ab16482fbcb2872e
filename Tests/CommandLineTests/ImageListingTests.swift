import Comparison
import Engine
import Linux
import OCI
import Testing

@testable import CommandLine

@Suite struct ImageListingTests {
    @Test(arguments: [
        (0, "0B"), (999, "999B"), (1000, "1kB"), (1234, "1.23kB"), (1005, "1.01kB"), (12_345, "12.3kB"), (99_960, "100kB"),
        (999_499, "999kB"), (999_500, "1MB"), (4_261_000, "4.26MB"), (123_456_789, "123MB"), (1_050_000_000, "1.05GB"),
        (Int.max, "9.22EB"),
    ])
    func `sizes have three digits and powers of a thousand`(bytes: Int, text: String) {
        #expect(DecimalSize.text(bytes) == text)
    }

    private let now = Timestamp("2026-01-15T00:00:00Z")!
    private let id = Digest("sha256:" + String(repeating: "ab", count: 32))!

    private func image(_ names: String...) throws -> ImageSummary {
        ImageSummary(
            id: id, names: try names.map { try Reference($0) }, digest: Digest("sha256:" + String(repeating: "cd", count: 32))!,
            created: "2026-01-01T00:00:00Z", size: 4_261_000, labels: [:])
    }

    @Test func `every name is a row, and an image without one has its own`() throws {
        let images = [try image("h.example:5000/a:1", "b"), try image(), try image("c@\(id)")]
        let rows = ImageListing(images: images, now: now).listing.rows
        #expect(rows.map { Array($0.prefix(2)) } == [["h.example:5000/a", "1"], ["b", "<none>"], ["<none>", "<none>"], ["c", "<none>"]])
        #expect(rows[0].dropFirst(2) == ["abababababab", "2 weeks ago", "4.26MB"])
        let whole = ImageListing(images: images, now: now, showsDigests: true, isWhole: true).listing
        #expect(whole.columns.map(\.title).contains("DIGEST"))
        #expect(whole.rows[3][2] == id.description && whole.rows[0][3] == id.description)
    }

    @Test func `only the last step of a history has the image's id`() {
        let steps = ImageSteps(
            id: id,
            steps: [
                ImageStep(created: nil, createdBy: String(repeating: "x", count: 60), comment: nil, size: 0),
                ImageStep(created: "2026-01-14T00:00:00Z", createdBy: "ADD", comment: "c", size: 12),
            ])
        let rows = HistoryListing(steps: steps, now: now).listing.rows
        #expect(rows[0][0] == "abababababab" && rows[0][1] == "N/A" && rows[0][2].count == 45)
        #expect(rows[1] == ["<missing>", "24 hours ago", "ADD", "12B", "c"])
    }

    @Test func `what was removed is said as Docker says it`() throws {
        let removed = ImagesRemoved(untagged: [try Reference("a:1")], deleted: [id], freedBytes: 5)
        #expect(RemovalText.lines(removed) == "Untagged: a:1\nDeleted: \(id)\n")
        #expect(RemovalText.reclaimed(5) == "Total reclaimed space: 5B\n")
    }
}
