import Linux
import Spawn
import TestKit
import Testing

@testable import Sandbox

/// What is refused before anything is made.
@Suite struct PlanCheckTests {
    private let machine = MachineCapacity(
        cpus: IndexList("0-3")!, memoryNodes: IndexList("0")!, memoryBytes: 8 << 30, processes: 32_768)

    private func problem(_ change: (inout SandboxPlan) -> Void) -> String? {
        var plan = SandboxPlan()
        change(&plan)
        do {
            try plan.check(machine: machine)
            return nil
        } catch { return "\(error)" }
    }

    @Test func `the standard plan passes`() { #expect(problem { _ in } == nil) }

    @Test func `the id that means no change is nobody's`() {
        // setresuid(-1, -1, -1) succeeds and leaves root what it is.
        #expect(
            problem { $0.identity.uid = .max }
                == "run as 4294967295:0: Invalid argument (EINVAL). The id 4294967295 is nobody's.")
        #expect(problem { $0.identity.gid = .max } != nil)
        #expect(problem { $0.identity.groups = [0, .max] } != nil)
    }

    @Test func `a root needs a mount namespace and the other way round`() {
        #expect(problem { $0.root = .unchanged }?.contains("needs a root of its own") == true)
        #expect(problem { $0.namespaces.remove(.mount) }?.contains("needs a mount namespace") == true)
        #expect(
            problem {
                $0.namespaces = []
                $0.root = .unchanged
                $0.mounts = [Mount(.temporary(bytes: 1), at: "/x")]
            }?.contains("mount on /x") == true)
    }

    @Test func `ids outside the map of a user namespace are refused`() {
        #expect(
            problem {
                $0.namespaces.insert(.user)
                $0.identityMap.count = 1000
                $0.identity.uid = 1000
            }?.contains("ids below 1000") == true)
    }

    @Test func `amounts without sense are refused`() {
        #expect(problem { $0.temporaryBytes = 0 } != nil)
        #expect(problem { $0.temporaryBytes = -1 } != nil)
        #expect(problem { $0.sharedMemoryBytes = 0 } != nil)
        #expect(problem { $0.umask = 0o1000 } != nil)
        #expect(problem { $0.hostname = "" } != nil)
        #expect(problem { $0.hostname = String(repeating: "x", count: 65) } != nil)
        #expect(problem { $0.systemCallFilter = [1, 2, 3] } != nil)
        #expect(problem { $0.systemCallFilter = [UInt8](repeating: 0, count: 4097 * 8) } != nil)
        #expect(problem { $0.root = .overlay(lower: [], upper: .readOnly) } != nil)
        #expect(problem { $0.namespaces = Namespaces(rawValue: ~0) } != nil)
        #expect(problem { $0.limits.memoryBytes = 9 << 30 }?.contains("This machine allows at most") == true)
    }

    @Test func `no plan whatever traps the compiler`() throws {
        var chance = SeededChance(seed: 3)
        let texts = ["", "/", "/a", "/a/../b", "a", "/proc", "/dev/null"]
        var passed = 0
        for _ in 0..<3000 {
            var plan = SandboxPlan()
            plan.namespaces = Namespaces(rawValue: UInt64.random(in: 0...UInt64.max, using: &chance) & 0x7E02_0080)
            let text = { (chance: inout SeededChance) in texts.randomElement(using: &chance)! }
            let roots: [RootFilesystem] = [
                .unchanged, .host, .directory(text(&chance), readOnly: true),
                .overlay(lower: [text(&chance)], upper: .readOnly),
                .overlay(lower: [], upper: .temporary(bytes: 5)),
            ]
            plan.root = roots.randomElement(using: &chance)!
            plan.mounts = [
                Mount(.temporary(bytes: 1), at: text(&chance)), Mount(.bind(text(&chance)), at: text(&chance)),
            ]
            if Bool.random(using: &chance) { plan.mounts = [] }
            plan.maskedPaths = Bool.random(using: &chance) ? [] : [text(&chance)]
            plan.systemCallFilter = [UInt8](repeating: 0, count: [0, 8, 12].randomElement(using: &chance)!)
            plan.temporaryBytes = [nil, 0, 1].randomElement(using: &chance)!
            do { try plan.check(machine: machine) } catch { continue }
            passed += 1
            var sources = RootSources()
            for mount in plan.mounts { sources.isDirectory[mount.target] = Bool.random(using: &chance) }
            let base: SandboxProgram.Base =
                !plan.namespaces.contains(.mount) ? .none : plan.isBuiltPerStart ? .built : .joined
            let variant = SandboxProgram.Variant(
                base: base, sources: sources, joinCount: 1, terminal: Bool.random(using: &chance), lastCapability: 40)
            _ = CompiledProgram(SandboxProgram(plan, variant).program)
            if plan.root != .unchanged {
                var steps = RootSteps(StepProgram())
                steps.build(plan, sources: sources)
                _ = CompiledProgram(steps.program)
            }
        }
        #expect(passed > 50)
    }
}
