internal import Chance
package import Linux
package import Spawn
package import Traces

// By what a call is named, and where it stands in a trace. Both follow from its head, so that whoever needs them finds the same ones,
// and a call that nobody asks pays nothing.
extension CallHead {
    /// The id of the call: a UUID that begins with the time. No process is started twice at one nanosecond by one number.
    package var requestID: String {
        let nanoseconds = UInt64(max(arrivedAt.nanoseconds, 0))
        let rest = nanoseconds % 1_000_000
        return RequestID.text(
            milliseconds: nanoseconds / 1_000_000, rest >> 8, rest << 54 | UInt64(UInt32(bitPattern: pid)) << 22 | Self.salt & 0x3F_FFFF)
    }

    /// The hop that the call is: in the trace that the caller's environment names, else at the beginning of one.
    package var trace: TraceContext {
        var chance = SplitMix(seed: Self.salt ^ UInt64(bitPattern: Int64(arrivedAt.nanoseconds)) ^ UInt64(UInt32(bitPattern: pid)) << 32)
        return TraceContext(
            after: carrier, seconds: max(arrivedAt.nanoseconds, 0) / 1_000_000_000, &chance)
    }

    /// What a program that answers in a sandbox finds in its environment: the caller's own, byte for byte, unless that stands in a
    /// trace. Then the trace is one hop further in the same places, and the call's id is added.
    ///
    /// A caller that does not trace gets what exec would give: a program may print its environment.
    package var tracedEnvironment: StringBlock {
        let carrier = carrier
        guard carrier.parent.flatMap({ TraceParent($0) }) != nil || carrier.amazon.flatMap({ AmazonTrace($0) }) != nil else {
            return environment
        }
        let trace = trace
        var block = StringBlock()
        for entry in environment {
            switch String(decoding: entry.prefix(24).prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self) {
            case TraceVariables.parent: block.append("\(TraceVariables.parent)=\(trace.traceparent)")
            case TraceVariables.state: if !trace.state.isEmpty { block.append("\(TraceVariables.state)=\(trace.state)") }
            case TraceVariables.amazon: block.append("\(TraceVariables.amazon)=\(trace.amazon)")
            case TraceVariables.request: break
            default: block.append(entry)
            }
        }
        block.append("\(TraceVariables.request)=\(requestID)")
        return block
    }

    /// One pass over the block: most environments have none of these, and every recorded call passes here.
    private var carrier: TraceCarrier {
        var values: [String: String] = [:]
        environment.bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            while start < bytes.count {
                let end = bytes[start...].firstIndex(of: 0) ?? bytes.count
                // "TRACE..." and "_X_AMZN..."; the first of a name counts, as for getenv.
                if bytes[start] == UInt8(ascii: "T") || bytes[start] == UInt8(ascii: "_") {
                    let entry = String(decoding: bytes[start..<end], as: UTF8.self)
                    let name = String(entry.prefix { $0 != "=" })
                    if TraceVariables.isOne(name), values[name] == nil { values[name] = String(entry.dropFirst(name.count + 1)) }
                }
                start = end + 1
            }
        }
        return TraceVariables.carrier { values[$0] }
    }

    /// Not known outside: ids of traces cannot be foreseen.
    private static let salt = UInt64.random(in: .min ... .max)
}
