/// One call of a program on the function rung: `functions.call`.
///
/// The request carries three descriptors: what the program reads, and where its output and errors go. Calls with
/// equal specs share a pool of standbys; the first one makes the pool. The answer comes when the program has ended.
package struct CallFunction: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = FunctionAnswer
    package static let operation = NodeOperation.callFunction

    package var spec: ContainerSpec
    /// Fewest and most copies that the pool keeps; nil: as the pool decides.
    package var minimum: Int?
    package var maximum: Int?

    package init(_ spec: ContainerSpec, minimum: Int? = nil, maximum: Int? = nil) {
        self.spec = spec
        self.minimum = minimum
        self.maximum = maximum
    }
}

package struct FunctionAnswer: NodeValue {
    package var end: ContainerEnd
    /// Whether a standby took the call; otherwise the program was started for it.
    package var wasStandby: Bool
    /// From the request's arrival until a program had it.
    package var queueMicroseconds: Int
    /// From then until the program's end.
    package var runMicroseconds: Int

    package init(end: ContainerEnd, wasStandby: Bool, queueMicroseconds: Int, runMicroseconds: Int) {
        self.end = end
        self.wasStandby = wasStandby
        self.queueMicroseconds = queueMicroseconds
        self.runMicroseconds = runMicroseconds
    }
}

/// The pools that there are: `functions.list`.
package struct ListFunctions: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = FunctionList
    package static let operation = NodeOperation.listFunctions

    package init() {}
}

package struct FunctionList: NodeValue {
    package var functions: [FunctionSummary]

    package init(functions: [FunctionSummary]) { self.functions = functions }
}

package struct FunctionSummary: NodeValue {
    package var name: String
    package var program: String
    package var arguments: [String]
    /// Standbys that wait, copies that are being started, and copies that serve a call.
    package var waiting: Int
    package var starting: Int
    package var busy: Int
    package var minimum: Int
    package var maximum: Int
    package var calls: Int
    /// Calls that found no standby waiting.
    package var misses: Int

    package init(
        name: String, program: String, arguments: [String], waiting: Int, starting: Int, busy: Int, minimum: Int,
        maximum: Int, calls: Int, misses: Int
    ) {
        self.name = name
        self.program = program
        self.arguments = arguments
        self.waiting = waiting
        self.starting = starting
        self.busy = busy
        self.minimum = minimum
        self.maximum = maximum
        self.calls = calls
        self.misses = misses
    }
}

/// Lets go of the pools of a name: `functions.remove`. Calls that were accepted are served; the answer comes after the last one.
package struct RemoveFunction: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.removeFunction

    package var name: String

    package init(name: String) { self.name = name }
}
