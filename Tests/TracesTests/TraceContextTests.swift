import Testing

@testable import Traces

/// Numbers that rise: what is drawn is known.
struct CountingChance: RandomNumberGenerator {
    var last: UInt64 = 0

    mutating func next() -> UInt64 {
        last += 1
        return last
    }
}

@Suite struct TraceContextTests {
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private func hop(_ carrier: TraceCarrier, samples: Bool = false) -> TraceContext {
        var chance = CountingChance()
        return TraceContext(after: carrier, seconds: 0x5759_e988, samples: samples, &chance)
    }

    @Test func `a hop keeps the trace and has a span of its own`() {
        let hop = hop(TraceCarrier(parent: Self.parent))
        #expect(hop.trace.description == "0af7651916cd43dd8448eb211c80319c" && hop.isSampled)
        #expect(hop.parent == 0xb7ad_6b71_6920_3331 && hop.span == 1)
        #expect(hop.traceparent == "00-0af7651916cd43dd8448eb211c80319c-0000000000000001-01")
        var chance = CountingChance(last: 7)
        let next = hop.child(&chance)
        #expect(next.parent == 1 && next.span == 8 && next.trace == hop.trace)
    }

    @Test func `both forms are made from each other`() {
        let fromW3C = hop(TraceCarrier(parent: Self.parent))
        #expect(fromW3C.amazon == "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=0000000000000001;Sampled=1")
        let fromAmazon = hop(TraceCarrier(amazon: fromW3C.amazon))
        #expect(fromAmazon.traceparent == fromW3C.traceparent && fromAmazon.parent == 1)
        let back = hop(TraceCarrier(parent: fromAmazon.traceparent))
        #expect(back.trace == fromW3C.trace && back.isSampled == fromW3C.isSampled)
    }

    @Test func `without a trace a new one begins, with the time in front`() {
        let hop = hop(TraceCarrier())
        #expect(hop.parent == nil && !hop.isSampled)
        #expect(hop.amazon.hasPrefix("Root=1-5759e988-"))
        #expect(hop.traceparent.hasPrefix("00-5759e988") && TraceParent(hop.traceparent) != nil)
        #expect(self.hop(TraceCarrier(), samples: true).isSampled)
    }

    @Test func `traceparent counts before Amazon's field, which counts when that is invalid`() {
        let amazon = "Self=1-67891234-12456789abcdef012345678;Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
        let both = hop(TraceCarrier(parent: Self.parent, state: "a=1", amazon: amazon))
        #expect(both.trace.description == "0af7651916cd43dd8448eb211c80319c" && both.state == "a=1")
        // Self was said of another trace.
        #expect(both.others == "")
        let second = hop(TraceCarrier(parent: "00-broken", state: "a=1", amazon: amazon))
        #expect(second.trace.description == "5759e988bd862e3fe1be46a994272793" && second.state == "" && !second.isSampled)
        #expect(second.parent == 0x5399_5c3f_42cd_8ad8)
        #expect(second.amazon.hasSuffix(";Sampled=0;Self=1-67891234-12456789abcdef012345678"))
    }

    @Test func `the decision to sample is the caller's when it made one`() {
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793"
        #expect(!hop(TraceCarrier(amazon: root + ";Sampled=0"), samples: true).isSampled)
        #expect(hop(TraceCarrier(amazon: root + ";Sampled=1")).isSampled)
        for open in [root, root + ";Sampled=?", root + ";Sampled=yes"] {
            #expect(hop(TraceCarrier(amazon: open), samples: true).isSampled, "\(open)")
            #expect(!hop(TraceCarrier(amazon: open)).isSampled, "\(open)")
        }
    }

    @Test func `an id that is all zero begins a new trace`() {
        for zero in [
            "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        ] { #expect(hop(TraceCarrier(parent: zero)).parent == nil) }
        #expect(hop(TraceCarrier(amazon: "Root=1-00000000-000000000000000000000000")).trace.high != 0)
        #expect(hop(TraceCarrier(amazon: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000000")).parent == nil)
        var zeros = ZerosThenOne()
        #expect(TraceContext(after: TraceCarrier(), seconds: 0, &zeros).span != 0)
    }

    @Test func `hostile input cannot leave its field`() {
        let texts = [
            "", ";", "=", "Root=", String(repeating: "Root=1-5759e988-bd862e3fe1be46a994272793;", count: 2),
            "Root=1-5759e988-bd862e3fe1be46a994272793;X=a\r\nSet-Cookie: b", "Root=1-5759e988-bd862e3fe1be46a994272793;X=\u{1b}[2J",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Y=\u{202e}", "Root=1-5759E988-BD862E3FE1BE46A994272793",
            "Root=1-5759e988-bd862e3fe1be46a994272793;" + String(repeating: "k=v;", count: 250), String(repeating: "\u{0}", count: 4000),
        ]
        for text in texts {
            let made = hop(TraceCarrier(parent: text, state: text, amazon: text))
            for written in [made.traceparent, made.state, made.amazon] {
                #expect(written.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && written.utf8.count < 700, "\(text.debugDescription)")
            }
            #expect(TraceParent(made.traceparent) != nil)
        }
    }

    @Test func `variables carry what fields carry`() {
        let hop = hop(TraceCarrier(parent: Self.parent, state: "a=1"))
        let entries = TraceVariables.entries(hop, requestID: "r")
        #expect(
            entries == [
                "TRACEPARENT=\(hop.traceparent)", "TRACESTATE=a=1", "_X_AMZN_TRACE_ID=\(hop.amazon)", "FORKLESS_REQUEST_ID=r",
            ])
        #expect(entries.allSatisfy { TraceVariables.isOne($0) } && !TraceVariables.isOne("TRACEPARENTS=x"))
        let values = Dictionary(uniqueKeysWithValues: entries.map { entry in
            (String(entry.prefix { $0 != "=" }), String(entry.drop { $0 != "=" }.dropFirst()))
        })
        #expect(self.hop(TraceVariables.carrier { values[$0] }).trace == hop.trace)
    }

    private struct ZerosThenOne: RandomNumberGenerator {
        var count = 0
        mutating func next() -> UInt64 {
            count += 1
            return count < 5 ? 0 : 1
        }
    }
}

@Suite struct RequestIDTests {
    @Test func `an id is a UUID of version 7`() {
        let id = RequestID.text(milliseconds: 0x0190_163d_8694, 0x39b, 0x2ea5_966c_26f8_ad91)
        #expect(id == "0190163d-8694-739b-aea5-966c26f8ad91")
    }

    @Test func `an id of a caller's choice is taken when it is harmless`() {
        for id in ["a", "0190163d-8694-739b-aea5-966c26f8ad91", "cGF5bWVudHM=", String(repeating: "x", count: 128)] {
            #expect(RequestID.isAcceptable(id), "\(id)")
        }
        for id in ["", "a b", "a\n", "\u{1b}[31m", "<b>", "ü", "a\"", String(repeating: "x", count: 129)] {
            #expect(!RequestID.isAcceptable(id), "\(id.debugDescription)")
        }
    }
}
