package import Traces

extension HeaderFields {
    /// What a request says of the trace that it stands in. One pass over the fields: most requests have none of these.
    package var traceCarrier: TraceCarrier {
        var carrier = TraceCarrier()
        var isRepeated = false
        for field in fields {
            switch field.name.utf8.count {
            case 11 where Self.areEqual(field.name, "traceparent"):
                // Two parents are none: nobody could say which is right.
                if carrier.parent != nil { isRepeated = true }
                carrier.parent = field.value
            case 10 where Self.areEqual(field.name, "tracestate"):
                carrier.state = carrier.state.map { $0 + "," + field.value } ?? field.value
            case 15 where carrier.amazon == nil && Self.areEqual(field.name, "x-amzn-trace-id"): carrier.amazon = field.value
            default: break
            }
        }
        if isRepeated { carrier.parent = nil }
        return carrier
    }

    /// Puts a hop in the place of what a request said of its trace, for whoever is asked next.
    package mutating func setTrace(_ context: TraceContext) {
        fields.removeAll { field in
            switch field.name.utf8.count {
            case 11: Self.areEqual(field.name, "traceparent")
            case 10: Self.areEqual(field.name, "tracestate")
            case 15: Self.areEqual(field.name, "x-amzn-trace-id")
            default: false
            }
        }
        add("traceparent", context.traceparent)
        if !context.state.isEmpty { add("tracestate", context.state) }
        add("X-Amzn-Trace-Id", context.amazon)
    }
}
