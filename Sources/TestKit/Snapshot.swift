internal import Glibc
package import Linux

/// Compares text with what a file says it should be.
///
/// The files stand in `Tests/Snapshots/TARGET/` (inside the target's folder SwiftPM would take them for
/// resources and warn). With FORKLESS_UPDATE_SNAPSHOTS=1 in the environment they are written instead of compared:
/// the change then shows in the version control's diff, which is where it is judged.
package enum Snapshot {
    /// nil when `text` is what the file `name` holds; otherwise what is different, line by line.
    ///
    /// Usage: `#expect(Snapshot.difference(of: help, from: "help.txt") == nil)`.
    package static func difference(
        of text: String, from name: String, testFile: String = #filePath
    ) throws(SystemError) -> String? {
        let path = path(of: name, testFile: testFile)
        if getenv("FORKLESS_UPDATE_SNAPSHOTS").map({ String(cString: $0) }) == "1" {
            try Files.makeDirectories(String(path[..<path.lastIndex(of: "/")!]))
            try Files.replace(path, with: Array(text.utf8), mode: 0o644)
            return nil
        }
        guard Files.exists(path) else {
            return "there is no snapshot \(path); FORKLESS_UPDATE_SNAPSHOTS=1 writes it. The text:\n\(text)"
        }
        let expected = String(decoding: try Files.read(path), as: UTF8.self)
        guard !expected.utf8.elementsEqual(text.utf8) else { return nil }
        return """
            the text differs from \(path) (- expected, + found); FORKLESS_UPDATE_SNAPSHOTS=1 accepts it:
            \(lineDifference(from: expected, to: text))
            """
    }

    /// The lines of both texts: "- " only in the first, "+ " only in the second, "  " in both.
    ///
    /// Of a run of equal lines only those within three of a change are kept.
    package static func lineDifference(from old: String, to new: String) -> String {
        let oldLines = old.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let newLines = new.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in newLines.difference(from: oldLines) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var merged: [String] = []
        var oldAt = 0
        var newAt = 0
        while oldAt < oldLines.count || newAt < newLines.count {
            if removed.contains(oldAt) {
                merged.append("- " + oldLines[oldAt])
                oldAt += 1
            } else if inserted.contains(newAt) {
                merged.append("+ " + newLines[newAt])
                newAt += 1
            } else {
                merged.append("  " + oldLines[oldAt])
                oldAt += 1
                newAt += 1
            }
        }
        return withoutDistantLines(merged).joined(separator: "\n")
    }

    private static func withoutDistantLines(_ lines: [String]) -> [String] {
        let reach = 3
        let changed = lines.indices.filter { !lines[$0].hasPrefix("  ") }
        let kept = Set(changed.flatMap { max(0, $0 - reach)...min(lines.count - 1, $0 + reach) })
        var result: [String] = []
        for index in lines.indices {
            if kept.contains(index) {
                result.append(lines[index])
            } else if result.last != "  ..." {
                result.append("  ...")
            }
        }
        return result
    }

    private static func path(of name: String, testFile: String) -> String {
        let parts = testFile.split(separator: "/")
        precondition(parts.count > 2, "a snapshot belongs to a test file in Tests/TARGET/")
        let tests = "/" + parts.dropLast(2).joined(separator: "/")
        return "\(tests)/Snapshots/\(parts[parts.count - 2])/\(name)"
    }
}
