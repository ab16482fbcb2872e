import Comparison
import JSON
import Linux
import TestKit
import Testing

@testable import Planning

@Suite struct CalibrationTests {
    @Test func `a calibration is read back as it was written`() throws {
        let directory = try TemporaryDirectory("calibration")
        var calibration = Examples.calibration
        calibration.container = .unavailable("no root")
        try CalibrationFile.write(calibration, to: directory.path("c.json"))
        #expect(try CalibrationFile.read(directory.path("c.json")) == calibration)
        #expect(try CalibrationFile.read(directory.path("none.json")) == nil)
    }

    @Test(arguments: [
        ("\"samples\": 60", "\"samples\": -1", "expected 0 or more"),
        ("\"spawn\"", "\"spown\"", "spawn: expected an object"),
        ("\"forkless-calibration\": 1", "\"forkless-calibration\": 2", "format 2 is not known"), ("{", "[", "expected"),
        ("\"hugePages\"", "\"huge\"", "hugePages"),
    ])
    func `a file that was changed is refused with the place`(_ from: String, _ to: String, _ says: String) throws {
        let directory = try TemporaryDirectory("calibration")
        let text = JSONWriter.text(Examples.calibration.json, .indented(2))
        let at = try #require(text.firstRange(of: from))
        let path = try directory.write(text.replacingCharacters(in: at, with: to), to: "c.json")
        let failure = #expect(throws: CalibrationFailure.self) { try CalibrationFile.read(path) }
        #expect(failure?.description.contains(says) == true)
        #expect(failure?.description.contains(path) == true)
    }

    @Test func `fork's line goes through what was measured`() {
        let line = Examples.calibration.forkLine
        #expect(line.baseNanoseconds == 700_000 && line.perGiBNanoseconds == 15_000_000)
        var calibration = Examples.calibration
        calibration.forks = []
        #expect(calibration.forkLine.baseNanoseconds == 600_000)
    }

    @Test(arguments: [
        ("/usr/bin/python3.11", "python3"), ("/usr/bin/python3", "python3"), ("/bin/sh", "sh"), ("/usr/bin/perl", nil),
    ])
    func `an interpreter is known by its family`(_ path: String, _ name: String?) {
        #expect(Examples.calibration.interpreter(of: path)?.name == name)
    }

    @Test func `another machine is told by what differs`() {
        var other = Examples.machine
        other.kernel = "6.18"
        other.processors = 4
        #expect(Examples.machine.differences(from: Examples.machine) == [])
        #expect(
            other.differences(from: Examples.machine) == ["kernel: 6.18, was 6.1.0-18-amd64", "processors: 4, was 2"])
    }

    @Test func `without a node the spawns and interpreters are measured and the rest says why not`() async throws {
        let run = CalibrationRunWithLittle.run
        let calibration = try await run.measure(.none("no root here"), now: Clock.now())
        #expect(calibration.spawn.nanoseconds > 0 && calibration.emptyLifeNanoseconds > 0)
        #expect(calibration.forks.map(\.residentBytes) == [0, 8 << 20])
        #expect(calibration.container == .unavailable("no root here"))
        #expect(calibration.interpreter(of: "/bin/sh") != nil)
        #expect(calibration.machine.memoryBytes > 0)
    }
}

private enum CalibrationRunWithLittle {
    static var run: CalibrationRun {
        var run = CalibrationRun()
        run.count = 3
        run.fewCount = 2
        run.parentSizes = [0, 8 << 20]
        return run
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + self[range.upperBound...]
    }
}
