import Linux
import TestKit
import Testing

/// Everything that needs a real keeper, one test after the other: they count what is left on the whole machine.
@Suite(.enabled(if: isRoot, "the keeper makes namespaces, which needs root"), .serialized)
enum KeeperSuites {}

/// Which of what a suite leaves counts: other suites and other people's keepers come and go meanwhile, so only what bears
/// our name. Descriptors are the keeper's to leak, in its own process, and its status tells them: the tests look there.
enum OfItsKeepers {
    static var scope: Census.Scope {
        var scope = Census.Scope(only: [.process, .cgroup, .mount, .namespace, .file])
        scope.cgroupPrefix = "forkless-keepertest"
        scope.places = [Census.Place(directory: "/tmp", prefix: "forkless-keepertest")]
        scope.ignores = isOfOthers
        return scope
    }

    private static func isOfOthers(_ item: Census.Item) -> Bool {
        switch item.kind {
        case .process, .namespace:
            // "process PID (NAME) ..." and "... is held by process PID".
            item.sentence.split(separator: " ").compactMap { Int($0) }.first.map { !isOurs($0) } ?? false
        default: false
        }
    }

    /// Whether a process is a keeper of a test, or in a control group of one.
    private static func isOurs(_ pid: Int) -> Bool {
        ["cgroup", "cmdline"].contains { file in
            let text = (try? Files.read("/proc/\(pid)/\(file)")).map { String(decoding: $0, as: UTF8.self) }
            return text?.contains("forkless-keepertest") == true
        }
    }
}

extension Trait where Self == CensusTrait {
    /// No process, cgroup, mount, namespace or file is left over by the suite.
    static var leavesNothingOfItsKeepers: CensusTrait { CensusTrait(OfItsKeepers.scope, within: .seconds(10)) }
}
