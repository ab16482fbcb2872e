import Comparison
import Engine
import OCI
import Testing

@testable import CommandLine

@Suite struct `Transfers as they are watched` {
    private func digest(_ number: Int) -> Digest {
        let digits = String(number, radix: 16)
        return Digest("sha256:" + digits + String(repeating: "0", count: 64 - digits.count))!
    }

    private func progress(_ number: Int, _ state: TransferProgress.State, _ bytes: Int? = nil) -> TransferProgress {
        TransferProgress(
            part: digest(number), isLayer: true, size: 5_000_000, state: state, bytes: bytes,
            message: state == .retrying ? "no connection \u{1b}[2J" : nil)
    }

    private func board(layers: Int, _ direction: TransferBoard.Direction = .pull) -> TransferBoard {
        let states = TransferProgress.State.allCases
        var board = TransferBoard(direction)
        for number in 0..<layers { _ = board.take(progress(number + 1, .waiting)) }
        for number in 0..<layers { _ = board.take(progress(number + 1, states[number % states.count], number * 1000)) }
        return board
    }

    @Test(arguments: [TransferBoard.Direction.pull, .push])
    func `a frame fits into any terminal`(direction: TransferBoard.Direction) {
        for layers in [0, 1, 5, 60] {
            let board = board(layers: layers, direction)
            for columns in [1, 2, 10, 13, 40, 79, 300] {
                for rows in [1, 2, 10, 100] {
                    let frame = board.frame(columns: columns, rows: rows)
                    #expect(frame.count <= rows)
                    #expect(frame.allSatisfy { DisplayWidth.of($0) <= columns }, "\(columns): \(frame)")
                    #expect(!frame.joined().unicodeScalars.contains { $0.properties.generalCategory == .control })
                }
            }
        }
    }

    @Test func `where there is no room for all, what moves stays`() {
        var board = TransferBoard(.pull)
        for number in 1...9 { _ = board.take(progress(number, .waiting)) }
        for number in 1...4 { _ = board.take(progress(number, .unpacked)) }
        _ = board.take(progress(6, .moving, 2_500_000))
        let frame = board.frame(columns: 79, rows: 2)
        #expect(frame.count == 2)
        #expect(frame[0].hasPrefix(digest(6).short + "  Downloading"))
        #expect(frame[0].hasSuffix("2.5 MB of 5.0 MB"))
        #expect(frame[0].count(where: { $0 == "━" }) == frame[0].count(where: { $0 == "┈" }))
        #expect(frame[1] == "4 of 9 layers, 23 MB of 45 MB")
    }

    @Test func `without a terminal each layer has a line for each state`() {
        var board = TransferBoard(.pull)
        var lines: [String] = []
        for item in [
            progress(1, .waiting), progress(1, .moving, 1), progress(1, .moving, 2), progress(1, .retrying),
            progress(1, .retrying), progress(1, .moving, 3), progress(1, .done), progress(1, .unpacking),
            progress(1, .unpacked),
        ] {
            if let line = board.take(item) { lines.append(line) }
        }
        let id = digest(1).short
        #expect(
            lines == [
                "\(id): Waiting", "\(id): Downloading", "\(id): Retrying: no connection \u{FFFD}[2J",
                "\(id): Retrying: no connection \u{FFFD}[2J", "\(id): Downloading", "\(id): Download complete",
                "\(id): Extracting", "\(id): Pull complete",
            ])
    }

    @Test func `the config is not shown`() {
        var board = TransferBoard(.push)
        let config = TransferProgress(part: digest(1), isLayer: false, size: 500, state: .moving)
        #expect(board.take(config) == nil)
        #expect(board.frame(columns: 80, rows: 10).isEmpty)
    }

    @Test func `a frame takes the place of the one before, also in a window that became narrower`() {
        #expect(TransferDisplay.frame(["a"], over: [], columns: 10) == "\u{1b}[?2026ha\u{1b}[K\n\u{1b}[J\u{1b}[?2026l")
        #expect(TransferDisplay.frame(["b"], over: [4, 9], columns: 10).contains("\u{1b}[2A\r"))
        #expect(TransferDisplay.frame(["b"], over: [4, 9], columns: 5).contains("\u{1b}[3A\r"))
        #expect(TransferDisplay.frame([], over: [], columns: 5, before: "x\n") == "x\n")
    }

    @Test func `amounts are in decimal units`() {
        let texts = [0, 999, 1000, 1_440_000, 999_499, 999_500, 999_600_000, 12_000_000_000].map(TransferBoard.amount)
        #expect(texts == ["0 B", "999 B", "1.0 kB", "1.4 MB", "999 kB", "1.0 MB", "1.0 GB", "12 GB"])
    }
}
