import Linux
import Sandbox
import Spawn
import Testing

/// A way in which this machine's real hierarchies can be used: as they are, or as if the others weren't mounted.
enum CgroupView: String, CaseIterable, Sendable {
    case whole, withoutUnified, withoutLegacy

    var layout: CgroupLayout {
        get throws {
            var layout = try CgroupLayout.ofThisProcess()
            if self == .withoutUnified { layout.unified = nil }
            if self == .withoutLegacy { layout.legacy = [] }
            return layout
        }
    }

    /// The views that this machine offers and in which these controllers are.
    static func having(_ controllers: CgroupControllers) -> [CgroupView] {
        allCases.filter { view in
            guard let layout = try? view.layout, layout.kind != .none else { return false }
            let whole = try? CgroupView.whole.layout
            if view != .whole, layout == whole { return false }
            let have = layout.legacy.reduce(into: layout.unified?.controllers ?? []) { $0.formUnion($1.controllers) }
            let core: CgroupControllers = layout.unified == nil ? [] : [.cpuAccounting, .freezer]
            return have.union(core).isSuperset(of: controllers)
        }
    }
}

/// Real cgroups below a parent of their own, and programs in them; at the end all of it must be gone.
func withCgroups(_ view: CgroupView, _ body: (CgroupHierarchy) throws -> Void) throws {
    try withCgroups(try view.layout, body)
}

func withCgroups(_ layout: CgroupLayout, _ body: (CgroupHierarchy) throws -> Void) throws {
    let parent = "forkless-test-" + String(UInt64.random(in: 0 ... .max), radix: 16)
    let hierarchy = try CgroupHierarchy.open(parent: parent, layout: layout)
    let outcome = Result { try body(hierarchy) }
    #expect(throws: Never.self) {
        try hierarchy.removeLeftovers()
        try hierarchy.close()
    }
    let mounts = (layout.unified.map { [$0.path] } ?? []) + layout.legacy.map(\.path)
    for mount in mounts { #expect(!Files.exists("\(mount)/\(parent)")) }
    try outcome.get()
}

/// A program started in a cgroup as the keeper does it: born in the v2 directory, writing itself into the v1 ones.
final class CgroupInmate {
    let pid: Int32
    private let process: ProcessFD
    private var ended: ExitRecord?

    /// Starts a shell script, its output going nowhere.
    init(_ script: String, in cgroup: Cgroup, of hierarchy: CgroupHierarchy, placedAtBirth: Bool = true) throws {
        let entries = try hierarchy.joinDescriptors(of: cgroup, placedAtBirth: placedAtBirth)
        var program = StepProgram()
        let null = program.slot()
        let slots = entries.raws.map { _ in program.slot() }
        program.add(.unshareFiles(lowest: 3))
        program.add(.open("/dev/null", flags: 2, mode: 0, into: null))
        for fd in CInt(0)...2 { program.add(.duplicate(null, to: fd)) }
        for slot in slots { program.add(.write([UInt8(ascii: "0")], to: slot, meaning: "join a cgroup")) }
        program.add(.execute(nil))
        let call = ProgramCall(
            path: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/local/bin:/usr/bin:/bin"])
        let filled = Array(zip(slots, entries.raws))
        let compiled = CompiledProgram(program)
        var launched: Launched
        if placedAtBirth, let place = try hierarchy.placement(of: cgroup) {
            launched = try compiled.start(call, filled: filled, cgroup: place.raw)
        } else {
            launched = try compiled.start(call, filled: filled)
        }
        pid = launched.pid
        process = ProcessFD(adopting: launched.takePidfd())
    }

    /// Waits for the end and reaps.
    @discardableResult
    func wait() throws -> Linux.ExitStatus {
        if let ended { return ended.status }
        let record = try process.reapBlocking()
        ended = record
        return record.status
    }

    deinit {
        guard ended == nil else { return }
        try? process.signal(Signal.kill)
        _ = try? process.reapBlocking()
    }
}

/// Waits until something is so. The bound only keeps a broken run from hanging; it is no measure of speed.
func eventually(_ what: Comment, _ condition: () throws -> Bool) throws {
    for _ in 0..<20_000 {
        if try condition() { return }
        Clock.pauseBlocking(milliseconds: 1)
    }
    Issue.record(what)
}
