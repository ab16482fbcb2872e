import Linux
import Spawn
import TestKit
import Testing

@testable import Sandbox

/// What a plan is compiled to, without a kernel that does it.
@Suite struct SandboxProgramTests {
    private func program(_ change: (inout SandboxPlan) -> Void = { _ in }, terminal: Bool = false) throws -> [Step] {
        var plan = SandboxPlan()
        change(&plan)
        let base: SandboxProgram.Base = plan.namespaces.contains(.mount) ? .joined : .none
        let variant = SandboxProgram.Variant(
            base: base, sources: RootSources(), joinCount: 2, terminal: terminal, lastCapability: 40)
        return SandboxProgram(plan, variant).program.steps
    }

    private func afterTheWait(_ steps: [Step]) throws -> [Step] {
        let wait = try #require(steps.firstIndex { if case .park = $0 { true } else { false } })
        return Array(steps[(wait + 1)...])
    }

    /// The names of steps, in order, without what they apply to.
    private func kinds(_ steps: [Step]) -> [String] {
        steps.map { step in String("\(step)".prefix { $0.isLetter }) }
    }

    private let filter: [UInt8] = [6, 0, 0, 0, 0, 0, 0xff, 0x7f]

    @Test func `steps after the wait are in the order that the kernel demands`() throws {
        let steps = try afterTheWait(
            program {
                $0.systemCallFilter = filter
                $0.identity = Users.Identity(uid: 1000, gid: 1000, groups: [4])
                $0.capabilities = Capabilities(names: ["KILL"])!
            })
        #expect(
            kinds(steps) == [
                "duplicate", "duplicate", "duplicate", "hostname", "closeFrom", "keepCapabilities", "groups", "gid", "uid",
                "capabilities", "ambient", "deathSignal", "noNewPrivileges", "changeDirectoryInside",
                "changeDirectoryInside",
                "signalsToDefault", "signalMask", "seccomp", "execute",
            ])
    }

    @Test func `without no-new-privileges the filter comes before the credentials`() throws {
        let steps = try afterTheWait(
            program {
                $0.systemCallFilter = filter
                $0.noNewPrivileges = false
            })
        let kinds = kinds(steps)
        let seccomp = try #require(kinds.firstIndex(of: "seccomp"))
        for later in ["groups", "gid", "uid", "capabilities"] {
            #expect(seccomp < (try #require(kinds.firstIndex(of: later))), "\(later)")
        }
        #expect(!kinds.contains("noNewPrivileges"))
        #expect(kinds.filter { $0 == "seccomp" }.count == 1)
    }

    @Test func `a terminal becomes the controlling one once the streams are in place`() throws {
        let kinds = kinds(try afterTheWait(program(terminal: true)))
        let taken = try #require(kinds.firstIndex(of: "controllingTerminal"))
        #expect(taken > (try #require(kinds.lastIndex(of: "duplicate"))))
        #expect(taken < (try #require(kinds.firstIndex(of: "closeFrom"))))
    }

    @Test func `nothing slow stands after the wait`() throws {
        let slow: Set = [
            "mount", "unmount", "newFileSystem", "fileSystemMount", "moveMount", "pivotRoot", "unshare",
            "joinNamespaces",
            "loopbackUp", "write", "maskPath", "readOnlyPath", "dropBounding", "open", "openAt", "openTree",
        ]
        #expect(slow.isDisjoint(with: kinds(try afterTheWait(program()))))
    }

    @Test func `a given network is joined after the wait, and sysfs is mounted in it`() throws {
        let steps = try program {
            $0.network = .given
            $0.showsSysfs = true
        }
        let after = kinds(try afterTheWait(steps))
        #expect(after.first == "joinNamespaces")
        #expect(after.filter { $0 == "newFileSystem" }.count == 1)
        #expect(after.contains("maskPath"), "what is masked of /sys is masked in this one")
        #expect(!kinds(steps).contains("loopbackUp"))
        #expect(steps.contains { if case .park(_, _, 4) = $0 { true } else { false } })
        #expect(after.firstIndex(of: "moveMount")! < after.firstIndex(of: "duplicate")!)
    }

    @Test func `a room is entered before its mount namespace is made and bound before anything covers it`() throws {
        var plan = SandboxPlan()
        plan.root = .overlay(lower: ["/layer"], upper: .room("/rooms"))
        let variant = SandboxProgram.Variant(base: .built, sources: RootSources(), joinCount: 0, lastCapability: 40)
        let steps = SandboxProgram(plan, variant).program.steps
        let kinds = kinds(steps)
        #expect(kinds.firstIndex(of: "changeDirectoryTo")! < kinds.firstIndex(of: "unshare")!)
        #expect(kinds.lastIndex(of: "openTree")! < kinds.firstIndex(of: "moveMount")!)
        let options = steps.compactMap { step -> String? in
            guard case .fileSystemOption(_, let key, let value?) = step, key.hasSuffix("dir") else { return nil }
            return key + "=" + value
        }
        #expect(options == ["lowerdir=/layer:/rooms/.base", "upperdir=upper", "workdir=work"])
    }

    @Test func `cgroups are joined before the cgroup namespace is made`() throws {
        let kinds = kinds(try program())
        #expect(kinds.prefix(3) == ["unshareFiles", "write", "write"])
        #expect((try #require(kinds.lastIndex(of: "write"))) < (try #require(kinds.firstIndex(of: "unshare"))))
    }

    @Test func `a plan without namespaces has no mount steps`() throws {
        let steps = try program {
            $0.namespaces = []
            $0.root = .unchanged
        }
        #expect(
            kinds(steps) == [
                "unshareFiles", "write", "write", "setSession", "umask", "park", "duplicate", "duplicate", "duplicate",
                "closeFrom", "groups", "gid", "uid", "deathSignal", "noNewPrivileges", "changeDirectory",
                "changeDirectory", "signalsToDefault", "signalMask", "execute",
            ])
    }

    @Test func `pid and user namespaces are made by the clone and no step makes them again`() throws {
        var changed = SandboxPlan()
        changed.namespaces = [.pid, .user, .uts, .ipc]
        let variant = SandboxProgram.Variant(base: .none, sources: RootSources(), joinCount: 0, lastCapability: 40)
        let program = SandboxProgram(changed, variant).program
        #expect(program.cloneFlags == Namespaces([.pid, .user]).rawValue)
        let made = program.steps.compactMap { step -> Namespaces? in
            guard case .unshare(let flags) = step else { return nil }
            return Namespaces(rawValue: UInt64(flags))
        }
        #expect(made == [[.uts, .ipc]])
    }

    @Test func `the standard plan reads like this`() throws {
        let listing = try program { $0.hostname = "box" }.map(\.sentence).joined(separator: "\n") + "\n"
        #expect(try Snapshot.difference(of: listing, from: "standard-program.txt") == nil)
    }

    @Test func `a host root is built like this`() throws {
        var plan = SandboxPlan()
        plan.mounts = [Mount(.temporary(bytes: 4096), at: "/scratch/deep")]
        var sources = RootSources()
        sources.directories = [RootSources.Directory(source: "/usr", target: "/usr")]
        sources.links = [RootSources.Link(path: "/bin", target: "usr/bin")]
        var steps = RootSteps(StepProgram())
        steps.build(plan, sources: sources)
        let listing = steps.program.steps.map(\.sentence).joined(separator: "\n") + "\n"
        #expect(try Snapshot.difference(of: listing, from: "host-root.txt") == nil)
    }

    @Test func `a program that enters a sandbox has its capabilities and inherits none`() throws {
        var plan = SandboxPlan()
        plan.capabilities = .dockerDefault
        let steps = SandboxProgram(entering: plan, joinCount: 1, terminal: false).program.steps
        #expect(steps.contains(.capabilities(effective: .dockerDefault, permitted: .dockerDefault, inheritable: [])))
        #expect(steps.contains(.dropBounding(keeping: .dockerDefault, last: Capabilities.lastKnown)))
        #expect(!kinds(steps).contains("ambient"))
    }
}
