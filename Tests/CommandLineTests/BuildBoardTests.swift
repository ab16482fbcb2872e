@testable import CommandLine
import Comparison
import Engine
import Testing

@Suite struct BuildBoardTests {
    private func play(_ board: inout BuildBoard, _ items: [BuildProgress]) -> [String] { items.flatMap { board.take($0) } }

    private let story = [
        BuildProgress(.note, text: "no ARG takes x"), BuildProgress(.began, step: 1, steps: 3, text: "[1/3] FROM a"),
        BuildProgress(.done, step: 1, steps: 3, milliseconds: 40),
        BuildProgress(.began, step: 2, steps: 3, text: "[2/3] COPY a b"), BuildProgress(.cached, step: 2, steps: 3),
        BuildProgress(.began, step: 3, steps: 3, text: "[3/3] RUN make"),
        BuildProgress(.output, step: 3, steps: 3, text: "cc x.c\u{1b}[31m"),
        BuildProgress(.failed, step: 3, steps: 3, text: "Dockerfile:3: RUN make: exited with status 2"),
    ]

    @Test func `without a terminal every line has its step`() {
        var board = BuildBoard(isTerminal: false)
        #expect(
            play(&board, story) == [
                "warning: no ARG takes x", "#1 [1/3] FROM a", "#1 DONE 0.0s", "", "#2 [2/3] COPY a b", "#2 CACHED", "",
                "#3 [3/3] RUN make", "#3 cc x.c" + DisplayWidth.printable("\u{1b}[31m"),
                "#3 ERROR: Dockerfile:3: RUN make: exited with status 2", "",
            ])
    }

    @Test func `the output of a failed step is shown again`() {
        var board = BuildBoard(isTerminal: true)
        let lines = play(&board, story)
        #expect(lines.prefix(4) == [" warning: no ARG takes x", " => [1/3] FROM a  0.0s", " => CACHED [2/3] COPY a b", " => ERROR [3/3] RUN make"])
        #expect(lines.dropFirst(4).first == "------")
        #expect(lines.contains { $0.hasPrefix("cc x.c") })
        #expect(board.frame(columns: 80, rows: 24) == [])
    }

    @Test func `a program's escape sequences do not reach the terminal`() {
        for isTerminal in [true, false] {
            var board = BuildBoard(isTerminal: isTerminal)
            let evil = "\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}1A\rx"
            let lines = play(
                &board,
                [
                    BuildProgress(.began, step: 1, steps: 1, text: "[1/1] RUN \(evil)"),
                    BuildProgress(.output, step: 1, steps: 1, text: evil),
                ]) + board.frame(columns: 80, rows: 24)
            #expect(!lines.isEmpty)
            #expect(lines.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) } })
        }
    }

    @Test func `a frame of a build fits into the terminal`() {
        var board = BuildBoard(isTerminal: true)
        _ = board.take(BuildProgress(.began, step: 1, steps: 1, text: String(repeating: "t", count: 300)))
        for number in 0..<100 {
            _ = board.take(BuildProgress(.output, step: 1, steps: 1, text: "\(number) 漢字" + String(repeating: "x", count: number)))
        }
        for (columns, rows) in [(80, 24), (20, 3), (5, 1), (1, 1)] {
            let frame = board.frame(columns: columns, rows: rows)
            #expect(frame.count <= min(rows, BuildBoard.tailLines + 1))
            #expect(frame.allSatisfy { DisplayWidth.of($0) <= columns })
        }
        #expect(board.frame(columns: 80, rows: 24).last?.contains("99") == true)
    }
}
