/// What was measured of one program on one rung. Values only: the driver that measures fills them in, the
/// tables render them.
package struct Measurement: Hashable, Sendable {
    package var rung: RungLabel
    /// From the request to start until the program's first instruction could run.
    package var start: Reading<Distribution> = .unavailable("not measured")
    /// From the request until the result was complete and the program reaped.
    package var call: Reading<Distribution> = .unavailable("not measured")
    /// Calls completed in a second of wall time, on this machine.
    package var callsPerSecond: Reading<Double> = .unavailable("not measured")
    /// User and system time of one call, microseconds, mean.
    package var cpuMicrosecondsPerCall: Reading<Double> = .unavailable("not measured")
    /// Memory that an instance costs while it waits for a call.
    package var idleBytesPerInstance: Reading<Int> = .unavailable("not measured")
    /// Memory that an instance costs while it works.
    package var busyBytesPerInstance: Reading<Int> = .unavailable("not measured")
    package var results: ResultAgreement = .unavailable("not compared")
    package var isolation: Reading<[IsolationFinding]> = .unavailable("not probed")
    /// Calls made, those that failed included.
    package var callCount = 0
    package var failures: [CallFailure] = []

    package init(rung: RungLabel) { self.rung = rung }
}

/// A rung as tables show it.
package struct RungLabel: Hashable, Sendable {
    /// One word, as on the command line: "process".
    package var name: String
    /// What it is in this comparison: "fork + exec", "container, host root".
    package var title: String

    package init(name: String, title: String) {
        self.name = name
        self.title = title
    }
}

/// A value that was measured, or the reason why there is none.
package enum Reading<Value: Hashable & Sendable>: Hashable, Sendable {
    case measured(Value)
    /// Nothing to show, and why ("a process that ends with its call is never idle").
    case unavailable(String)

    /// The value; nil when there is none.
    package var value: Value? {
        switch self {
        case .measured(let value): value
        case .unavailable: nil
        }
    }
}

/// A call that went wrong.
package struct CallFailure: Hashable, Sendable {
    /// Which call, from 1.
    package var call: Int
    /// How it ended: "killed by SIGKILL", "exited with status 2: malformed trade".
    package var reason: String

    package init(call: Int, reason: String) {
        self.call = call
        self.reason = reason
    }
}

/// Whether a rung gave the results that the first one gave, byte for byte.
package enum ResultAgreement: Hashable, Sendable {
    /// These are the results that the others are compared with.
    case reference
    case identical
    /// How many calls gave something else, and the first of them, from 1.
    case different(calls: Int, first: Int)
    case unavailable(String)

    /// Compares what each call wrote with what it wrote on the first rung.
    ///
    /// A call that is missing on either side differs.
    package init(outputs: [[UInt8]], reference: [[UInt8]]) {
        var differing = 0
        var first = 0
        for index in 0..<max(outputs.count, reference.count) {
            let same = index < outputs.count && index < reference.count && outputs[index] == reference[index]
            if same { continue }
            if differing == 0 { first = index + 1 }
            differing += 1
        }
        self = differing == 0 ? .identical : .different(calls: differing, first: first)
    }

    package var isIdentical: Bool { self == .reference || self == .identical }

    package var text: String {
        switch self {
        case .reference: "reference"
        case .identical: "identical"
        case .different(let calls, _): "\(FloatingText.grouped(calls)) differ"
        case .unavailable: "–"
        }
    }
}
