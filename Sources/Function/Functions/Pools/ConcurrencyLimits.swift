package import Lambda

/// How many calls may be accepted and not answered at a time: of the account, and of functions with a reserve.
///
/// A reserve is a guarantee and a cap: nobody else can use it up, and the function cannot go beyond it. 0 switches a
/// function off.
///
/// Invariants (test: `a reserve is a guarantee and a cap`):
/// 1. A function with a reserve has at most that many calls.
/// 2. All functions without one have together at most the account's limit less all reserves.
package struct ConcurrencyLimits: Sendable {
    /// Of a function, for as long as the node runs: the number by which a pool refers to it.
    struct Entry: Sendable {
        var function: String
        var reserved: Int?
        var inFlight = 0
    }

    /// As Lambda has it: so many must stay for functions without a reserve.
    package static let leastUnreserved = 100

    package let account: Int
    private(set) var entries: [Entry] = []
    private var places: [String: Int] = [:]
    private(set) var reservedSum = 0
    /// Calls of functions without a reserve.
    private(set) var unreservedInFlight = 0

    package init(account: Int) { self.account = account }

    package var unreserved: Int { max(account - reservedSum, 0) }
    var inFlight: Int { entries.reduce(0) { $0 + $1.inFlight } }

    mutating func place(of function: String) -> Int {
        if let place = places[function] { return place }
        entries.append(Entry(function: function))
        places[function] = entries.count - 1
        return entries.count - 1
    }

    /// Counts a call, or tells why it may not come in.
    mutating func enter(_ place: Int) -> LambdaFailure? {
        if let reserved = entries[place].reserved {
            if entries[place].inFlight >= reserved { return Self.isReserved(entries[place].function, reserved) }
        } else if unreservedInFlight >= unreserved {
            return .tooManyRequests(
                "Rate Exceeded: \(unreservedInFlight) calls of functions without reserved concurrency are under way, of the "
                    + "account's \(account) with \(reservedSum) reserved. Call again later.",
                reason: "ConcurrentInvocationLimitExceeded")
        } else {
            unreservedInFlight += 1
        }
        entries[place].inFlight += 1
        return nil
    }

    mutating func leave(_ place: Int) {
        entries[place].inFlight -= 1
        if entries[place].reserved == nil { unreservedInFlight -= 1 }
    }

    /// - Parameter count: nil takes the reserve away.
    /// - Throws: InvalidParameterValueException when too little would be left for the others.
    package mutating func reserve(_ function: String, _ count: Int?) throws(LambdaFailure) {
        let place = place(of: function)
        let sum = reservedSum - (entries[place].reserved ?? 0) + (count ?? 0)
        if let count, count > entries[place].reserved ?? 0, sum > account - min(Self.leastUnreserved, account) {
            throw .invalidParameter(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                    + "below its minimum value of [\(Self.leastUnreserved)].")
        }
        if (entries[place].reserved == nil) != (count == nil) {
            unreservedInFlight += count == nil ? entries[place].inFlight : -entries[place].inFlight
        }
        reservedSum = sum
        entries[place].reserved = count
    }

    private static func isReserved(_ function: String, _ reserved: Int) -> LambdaFailure {
        let sentence =
            reserved == 0
            ? "Rate Exceeded: \(function) is switched off by its reserved concurrency of 0."
            : "Rate Exceeded: \(function) has its reserved concurrency of \(reserved) calls under way. Call again later."
        return .tooManyRequests(sentence, reason: "ReservedFunctionConcurrentInvocationLimitExceeded")
    }
}
