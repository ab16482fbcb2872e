package import NodeLogs

extension LogEvent {
    /// The line of a call that has ended. Keys and payloads are not in it: they may be what nobody is to read in a log.
    package init(_ call: MeteredCall) {
        // Calls of shifted programs stand in the ledger as functions of that name.
        let isExec = call.function.hasPrefix("shift:")
        self.init(call.outcome == .success ? .info : .warn, isExec ? "exec" : "functions", "call", requestID: call.requestID)
        traceID = call.traceID
        spanID = call.spanID
        fields.reserveCapacity(14)
        add("function", call.function)
        add("version", call.version)
        add("source", call.source)
        add("outcome", call.outcome.name)
        add("error", call.outcome.error)
        add("start", call.start.rawValue)
        add("instance", call.instance)
        if call.attempt != 1 { add("attempt", call.attempt) }
        add("queue_us", call.queueMicroseconds)
        add("init_us", call.initMicroseconds)
        add("duration_us", call.durationMicroseconds)
        add("cpu_us", call.cpuMicroseconds)
        add("peak_memory_bytes", call.peakMemoryBytes)
        add("payload_bytes", call.payloadBytes)
        add("answer_bytes", call.answerBytes)
    }
}
