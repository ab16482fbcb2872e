import ExecDoor
import Linux
import Spawn
import Synchronization
import TestKit
import Testing

/// A program with a shim that leads to it, a door that shims reach, and what was decided there.
final class DoorStage: Sendable {
    let directory: TemporaryDirectory
    let decider: StagedDecider
    let door: ExecDoor
    let settings: DoorSettings
    /// The program itself, and its shim.
    let direct: String
    let shim: String

    /// - Parameters:
    ///   - program: nil: the fixture.
    ///   - decisionMilliseconds: long unless a test is about it: a shim that gives up waiting, because this machine
    ///     stands still for a moment, runs the original.
    ///   - resumeSeconds: the same for a shim that looks for the next node.
    ///   - byDescriptor: whether the door hands the original over by descriptor.
    ///   - isStrict: whether the shim alone may ask.
    init(
        program: String? = nil, decisionMilliseconds: UInt32 = 20_000, headMilliseconds: Int = 20_000, resumeSeconds: UInt32 = 30,
        byDescriptor: Bool = false, isStrict: Bool = false, isOpen: Bool = true,
        resumption: (any CallResumption)? = nil,
        _ way: @escaping @Sendable (CallHead) -> CallDecision.Way? = { _ in .measured }
    ) throws {
        directory = try TemporaryDirectory("door")
        // Callers of other users reach the door and the programs.
        try Files.setPermissions(directory.path, 0o755)
        direct = try program ?? ToldProgram.path()
        shim = directory.path("shim")
        var settings = DoorSettings(socket: directory.path("exec.sock"))
        settings.headMilliseconds = headMilliseconds
        self.settings = settings
        var record = ShimRecord(shift: "staged", socket: settings.socket, original: direct)
        record.decisionMilliseconds = decisionMilliseconds
        record.resumeSeconds = resumeSeconds
        try ShimFile(path: Self.shimExecutable()).make(for: record, like: try Files.status(direct), at: shim)
        let original = byDescriptor ? SharedFD(try Files.handle(direct)) : nil
        let place = try Files.handle(shim)
        let identity = isStrict ? ProgramIdentity(try FileEntries.status(of: place.raw)) : nil
        decider = StagedDecider { way($0).map { CallDecision($0, original: original, shim: identity) } }
        door = ExecDoor(settings, decider: decider, resumption: resumption)
        if isOpen { try door.start() }
    }

    func close() async { await door.stop() }

    /// `make shim` puts it there, beside what Swift builds.
    static func shimExecutable() throws -> String { try BuiltFile.path("shim/forkless-shim") }

    /// Runs suites of contract.py and expects no difference between the program and its shim.
    func expectSame(
        _ suites: [String], elsewhere: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let script = ToldProgram.fixtures + "/contract.py"
        let command = (elsewhere ? ["env", "ELSEWHERE=1"] : []) + ["python3", script, direct, shim] + suites
        let outcome = try await CommandRunner.run(command, within: .seconds(300))
        #expect(outcome.status == .exited(0), "\(outcome.text)\(outcome.errorText)", sourceLocation: sourceLocation)
        #expect(outcome.text.hasPrefix("same "), sourceLocation: sourceLocation)
    }
}

/// A decider whose decisions are a closure's, and who keeps what was recorded.
final class StagedDecider: CallDecider {
    private let way: @Sendable (CallHead) -> CallDecision?
    private let state = Mutex<(heads: [CallHead], records: [CallRecord])>(([], []))

    init(_ way: @escaping @Sendable (CallHead) -> CallDecision?) { self.way = way }

    func decide(_ head: CallHead) -> CallDecision? {
        state.withLock { $0.heads.append(head) }
        return way(head)
    }

    func ended(_ record: CallRecord) { state.withLock { $0.records.append(record) } }

    var heads: [CallHead] { state.withLock { $0.heads } }
    var records: [CallRecord] { state.withLock { $0.records } }

    /// Waits until as many calls were recorded as were decided.
    func settledRecords(_ count: Int? = nil) async throws -> [CallRecord] {
        try await eventually(within: .seconds(20), "every call is recorded") {
            self.records.count >= count ?? self.heads.count
        }
        return records
    }
}

/// The fixture, compiled once.
enum ToldProgram {
    static let fixtures =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/Fixtures/contract"

    private static let directory = try? TemporaryDirectory("told")

    private static let dynamic = Result { try compile("told", []) }
    private static let fixed = Result { try compile("told-static", ["-static"]) }

    static func path() throws -> String { try dynamic.get() }
    static func staticPath() throws -> String { try fixed.get() }

    private static func compile(_ name: String, _ flags: [String]) throws -> String {
        let directory = try #require(directory)
        try Files.setPermissions(directory.path, 0o755)
        let path = directory.path(name)
        let outcome = try CommandRunner.runBlocking(["cc", "-O1"] + flags + ["-o", path, fixtures + "/told.c"])
        try #require(outcome.status == .exited(0), "\(outcome.errorText)")
        return path
    }
}
