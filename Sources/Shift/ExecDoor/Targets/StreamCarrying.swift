internal import Functions
internal import Linux

/// Carries a call's streams through an instance that has pipes of its own: input to it, output and errors back.
///
/// The caller's descriptors are open files that others may share: their flags are not touched. They are asked whether
/// they are ready, and then read or written once.
enum StreamCarrying {
    private static let chunkBytes = 64 << 10
    /// What fits into a pipe that says it has room, pipe(7): a blocking write of no more does not block.
    private static let atomicBytes = 4096

    /// Carries until the program has ended and everything that it wrote is with the caller.
    static func carry(_ caller: CallStreams.Taken, through instance: AssignedInstance) async -> Functions.CallRecord {
        let output = instance.streams.takeOutput()
        let errors = instance.streams.takeErrors()
        let feeding = Task { await feed(caller.input, instance) }
        async let outputDone: Void = drain(output, caller.output, instance)
        async let errorsDone: Void = drain(errors, caller.errors, instance)
        let record = await instance.finish()
        // Who never reads its input would keep its caller's open for ever.
        feeding.cancel()
        _ = await (outputDone, errorsDone)
        return record
    }

    /// Ends with the letting go of the program's end: that is how it learns that its input is complete.
    private static func feed(_ source: SharedFD?, _ instance: AssignedInstance) async {
        let sink = instance.streams.takeInput()
        guard let source else { return }
        let isFile = (try? Files.status(of: source.raw).kind) == .regular
        var room = [UInt8](repeating: 0, count: chunkBytes)
        try? Files.setNonBlocking(sink.raw)
        while !Task.isCancelled {
            do {
                if !isFile { try await Readiness.shared.readable(source.raw) }
                guard let count = try Files.readAvailable(source.raw, into: &room), count > 0 else { return }
                var rest = room[..<count]
                while !rest.isEmpty {
                    if let written = try Files.writeAvailable(rest, to: sink.raw) {
                        rest = rest.dropFirst(written)
                    } else {
                        try await Readiness.shared.writable(sink.raw)
                    }
                }
            } catch { return }
        }
    }

    /// A caller that is gone ends the program, as SIGPIPE would.
    private static func drain(_ source: SharedFD, _ sink: SharedFD?, _ instance: AssignedInstance) async {
        let isFile = sink.map { (try? Files.status(of: $0.raw).kind) == .regular } ?? false
        var room = [UInt8](repeating: 0, count: chunkBytes)
        try? Files.setNonBlocking(source.raw)
        do {
            while true {
                guard let count = try Files.readAvailable(source.raw, into: &room) else {
                    try await Readiness.shared.readable(source.raw)
                    continue
                }
                guard count > 0 else { return }
                if let sink { try await pass(room[..<count], to: sink, isFile: isFile) }
            }
        } catch { await instance.abandon() }
    }

    /// Writes to an open file that is not ours and may block.
    static func pass(_ chunk: ArraySlice<UInt8>, to sink: SharedFD, isFile: Bool) async throws(SystemError) {
        var rest = chunk
        while !rest.isEmpty {
            if !isFile { try await Readiness.shared.writable(sink.raw) }
            let part = isFile ? rest : rest.prefix(atomicBytes)
            if let count = try Files.writeAvailable(part, to: sink.raw) { rest = rest.dropFirst(count) }
        }
    }
}
