import Comparison
import Linux

/// The processes of a function's instances on this machine, as /proc tells (proc(5)): found by the environment that every runtime
/// is given (Lambda's developer guide, "Defined runtime environment variables").
///
/// Those of other users can be looked at by root alone.
enum FunctionProcesses {
    /// The first processes of instances of a version that were started, not forked.
    static func ofInstances(of function: String, version: String) -> [Int32] {
        all(function).filter { $0.numbers.last == 1 && $0.version == version }.map(\.pid)
    }

    /// Forks of the function's zygote that wait for their turn: beneath the namespace of the zygote, and not what holds their own.
    static func ofForks(of function: String) -> [Int32] {
        all(function).filter { $0.numbers.count > 2 && $0.numbers.last != 1 }.map(\.pid)
    }

    private struct Found {
        var pid: Int32
        var version: String?
        /// Its number in each process namespace from ours to its own.
        var numbers: [Int32]
    }

    private static func all(_ function: String) -> [Found] {
        ((try? Files.list("/proc")) ?? []).compactMap { Int32($0) }.compactMap { pid in
            guard let variables = try? Files.readText("/proc/\(pid)/environ").split(separator: "\0"),
                variables.contains("AWS_LAMBDA_FUNCTION_NAME=\(function)"),
                let numbers = InstanceProcesses.numbers(of: pid)
            else { return nil }
            let prefix = "AWS_LAMBDA_FUNCTION_VERSION="
            let version = variables.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
            return Found(pid: pid, version: version, numbers: numbers)
        }
    }
}
