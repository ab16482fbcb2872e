/// Where a call stands in a distributed trace: the trace, the span of this hop, and what travels along.
///
/// One value has both written forms: W3C's `traceparent` with `tracestate` (https://www.w3.org/TR/trace-context-1/) and
/// Amazon's `X-Amzn-Trace-Id` (https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html). They mean the same ids:
/// the 8 and 24 digits of a Root are the 32 digits of a trace id, Parent is the span.
///
/// Invariants (tests in TraceContextTests)
/// 1. Neither id is ever zero. (`an id that is all zero begins a new trace`)
/// 2. Each hop has a span of its own, and the trace of its caller. (`a hop keeps the trace and has a span of its own`)
/// 3. Both written forms name the same trace, span and decision. (`both forms are made from each other`)
/// 4. What is written holds no byte but printable ASCII, whatever came. (`hostile input cannot leave its field`)
package struct TraceContext: Hashable, Sendable {
    package var trace: TraceID
    /// Of this hop: the parent of whatever is called next.
    package var span: UInt64
    /// The caller's span; nil for the first hop.
    package var parent: UInt64?
    package var isSampled: Bool
    /// A valid `tracestate`; empty without one.
    package var state = ""
    /// Fields of `X-Amzn-Trace-Id` beside Root, Parent and Sampled, as they came: "Self=1-...;Lineage=...".
    package var others = ""

    package init(trace: TraceID, span: UInt64, parent: UInt64? = nil, isSampled: Bool) {
        self.trace = trace
        self.span = span
        self.parent = parent
        self.isSampled = isSampled
    }

    /// The hop that a call begins here: with the caller's trace when it sent a valid one, else with a new one.
    ///
    /// A `traceparent` counts before `X-Amzn-Trace-Id`. An invalid one is as good as none, and takes its `tracestate`
    /// with it.
    ///
    /// - Parameters:
    ///   - seconds: since 1970: a new trace id begins with them, as X-Ray wants it.
    ///   - samples: the decision where the caller made none.
    package init(
        after carrier: TraceCarrier, seconds: Int, samples: Bool = false, _ chance: inout some RandomNumberGenerator
    ) {
        let span = Self.drawn(&chance)
        if let parent = carrier.parent.flatMap({ TraceParent($0) }) {
            self.init(trace: parent.trace, span: span, parent: parent.span, isSampled: parent.isSampled)
            state = carrier.state.flatMap { TraceState.valid($0) } ?? ""
            // What a load balancer wrote about the same trace goes on; of another trace it would be wrong.
            if let amazon = carrier.amazon.flatMap({ AmazonTrace($0) }), amazon.trace == trace { others = amazon.others }
        } else if let amazon = carrier.amazon.flatMap({ AmazonTrace($0) }) {
            self.init(trace: amazon.trace, span: span, parent: amazon.parent, isSampled: amazon.isSampled ?? samples)
            others = amazon.others
        } else {
            let low = Self.drawn(&chance)
            let high = UInt64(UInt32(truncatingIfNeeded: seconds)) << 32 | chance.next() >> 32
            self.init(trace: TraceID(high: high, low: low), span: span, isSampled: samples)
        }
    }

    /// The same trace one hop further.
    package func child(_ chance: inout some RandomNumberGenerator) -> TraceContext {
        var child = self
        child.parent = span
        child.span = Self.drawn(&chance)
        return child
    }

    private static func drawn(_ chance: inout some RandomNumberGenerator) -> UInt64 {
        while true {
            let number: UInt64 = chance.next()
            if number != 0 { return number }
        }
    }

    /// The value of `traceparent` for the next hop: "00-TRACE-SPAN-01".
    package var traceparent: String {
        HexText.made(55) { text in
            text.write("00-")
            text.write(trace.high, digits: 16)
            text.write(trace.low, digits: 16)
            text.write("-")
            text.write(span, digits: 16)
            text.write(isSampled ? "-01" : "-00")
        }
    }

    /// The value of `X-Amzn-Trace-Id` for the next hop: "Root=1-TIME-REST;Parent=SPAN;Sampled=1".
    package var amazon: String {
        let text = HexText.made(74) { text in
            text.write("Root=1-")
            text.write(trace.high >> 32, digits: 8)
            text.write("-")
            text.write(trace.high & 0xFFFF_FFFF, digits: 8)
            text.write(trace.low, digits: 16)
            text.write(";Parent=")
            text.write(span, digits: 16)
            text.write(isSampled ? ";Sampled=1" : ";Sampled=0")
        }
        return others.isEmpty ? text : text + ";" + others
    }

    /// 16 digits.
    package var spanText: String { HexText.text(span, digits: 16) }
}

/// The id of a trace: 128 bits, not zero.
package struct TraceID: Hashable, Sendable, CustomStringConvertible {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 digits, in small letters.
    package var description: String {
        HexText.made(32) { text in
            text.write(high, digits: 16)
            text.write(low, digits: 16)
        }
    }
}

/// What a caller has sent of its trace, unread.
package struct TraceCarrier: Hashable, Sendable {
    /// `traceparent`; nil when it did not come, or came more than once.
    package var parent: String?
    /// `tracestate`: several fields are one list, joined by commas.
    package var state: String?
    /// `X-Amzn-Trace-Id`
    package var amazon: String?

    package init(parent: String? = nil, state: String? = nil, amazon: String? = nil) {
        self.parent = parent
        self.state = state
        self.amazon = amazon
    }
}
