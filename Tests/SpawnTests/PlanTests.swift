import Linux
import Testing

@testable import Spawn

@Suite struct PlanTests {
    private func steps(_ change: (inout Options) -> Void) -> [Step] {
        var options = Options()
        change(&options)
        return Plan(options, executable: nil, parent: 1).steps.steps
    }

    @Test func `the plan's order keeps privileges until the user changes`() throws {
        let limit = ResourceLimit(.openFiles, soft: 1, hard: 1)
        let steps = steps {
            $0.useTerminal()
            $0.umask = 0o22
            $0.limits = [limit]
            $0.nice = -5
            $0.scheduler = .firstInFirstOut(priority: 3)
            $0.processors = [0, 65]
            $0.user = Users.Identity(uid: 5, gid: 6, groups: [7])
            $0.deathSignal = Signal.kill
            $0.noNewPrivileges = true
            $0.blockedSignals = [Signal.user1]
        }
        let start = try #require(steps.firstIndex(of: .setSession))
        #expect(
            Array(steps[start...]) == [
                .setSession, .controllingTerminal(Slot(index: 3)), .umask(0o22), .limit(limit), .priority(-5),
                .scheduler(policy: 1, priority: 3), .affinity([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]),
                .groups([7]),
                .gid(6), .uid(5), .deathSignal(Signal.kill, parent: 1), .noNewPrivileges, .changeDirectory(nil),
                .signalsToDefault(1 << 12), .signalMask(1 << 9), .execute(nil),
            ])
    }

    @Test func `every descriptor is out of the way before the first is put in place`() throws {
        let null = SharedFD(try Files.open("/dev/null", 0))
        let steps = steps { $0.descriptors = [9: null, 4: null] }
        let slots = (0..<5).map { Slot(index: $0) }
        #expect(
            steps.prefix(12) == [
                .unshareFiles(lowest: 0), .moveUp(slots[0], lowest: 10), .moveUp(slots[1], lowest: 10),
                .moveUp(slots[2], lowest: 10), .moveUp(slots[3], lowest: 10), .moveUp(slots[4], lowest: 10),
                .closeFrom(0),
                .duplicate(slots[0], to: 0), .duplicate(slots[1], to: 1), .duplicate(slots[2], to: 2),
                .duplicate(slots[3], to: 4), .duplicate(slots[4], to: 9),
            ])
    }

    @Test func `environments are built in a fixed order`() throws {
        let parent: () -> [UInt8] = { Array("A=1\0B=2\0odd\0".utf8) }
        #expect(try Environment.inherited.block(inheriting: parent).strings == ["A=1", "B=2", "odd"])
        #expect(try Environment.exactly(["Z": "", "Y": "="]).block(inheriting: parent).strings == ["Y==", "Z="])
        let updated = try Environment.updating(["A": nil, "C": "3", "B": "4"]).block(inheriting: parent)
        #expect(updated.strings == ["odd", "B=4", "C=3"])
        #expect(Environment.value(of: "B", in: updated) == "4")
        #expect(Environment.value(of: "A", in: updated) == nil)
    }

    @Test func `a name is looked up in absolute directories only`() throws {
        #expect(try Program.name("sh").resolved(searching: "::relative:/bin") == "/bin/sh")
        #expect(try Program.name("sh").resolved(searching: nil) == "/bin/sh")
        #expect(throws: SpawnError.self) { try Program.name("sh").resolved(searching: "bin:.") }
        #expect(throws: SpawnError.self) { try Program.name("etc").resolved(searching: "/") }
        #expect(throws: SpawnError.self) { try Program.name("a/b").resolved(searching: "/bin") }
        let literals: [Program] = ["/bin/sh", "sh"]
        #expect(literals == [.path("/bin/sh"), .name("sh")])
    }
}
