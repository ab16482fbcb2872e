import Functions
import Linux

/// Carries a caller's streams through an instance: its input to the program, the program's output and errors back.
///
/// The caller's descriptors are its own open files, perhaps a terminal that others use: their flags are not touched.
/// They are asked whether they are ready, and then read or written once.
enum StreamRelay {
    /// Most bytes carried at once.
    private static let chunkBytes = 64 << 10
    /// What fits into a pipe that says it has room, pipe(7): a blocking write of no more does not block.
    private static let atomicBytes = 4096

    /// Carries until the program has ended and everything that it wrote is with the caller.
    static func carry(_ caller: [SharedFD], through instance: AssignedInstance) async -> CallRecord {
        let output = instance.streams.takeOutput()
        let errors = instance.streams.takeErrors()
        let feeding = Task { await feed(caller[0], instance) }
        async let outputDone: Void = drain(output, caller[1], instance)
        async let errorsDone: Void = drain(errors, caller[2], instance)
        let record = await instance.finish()
        // Who never reads its input would keep its caller's open for ever.
        feeding.cancel()
        _ = await (outputDone, errorsDone)
        return record
    }

    /// The caller's input to the program's, until either has ended. Nobody else holds the program's end: letting go
    /// of it here is how the program learns that its input is complete.
    private static func feed(_ source: SharedFD, _ instance: AssignedInstance) async {
        let sink = instance.streams.takeInput()
        let isFile = (try? Files.status(of: source.raw).kind) == .regular
        var room = [UInt8](repeating: 0, count: chunkBytes)
        try? Files.setNonBlocking(sink.raw)
        while !Task.isCancelled {
            do {
                if !isFile { try await Readiness.shared.readable(source.raw) }
                guard let count = try Files.readAvailable(source.raw, into: &room), count > 0 else { return }
                try await write(room[..<count], to: sink)
            } catch { return }
        }
    }

    /// What the program writes to the caller, until its end; a caller that is gone ends the program, as SIGPIPE would.
    private static func drain(_ source: SharedFD, _ sink: SharedFD, _ instance: AssignedInstance) async {
        let isFile = (try? Files.status(of: sink.raw).kind) == .regular
        var room = [UInt8](repeating: 0, count: chunkBytes)
        try? Files.setNonBlocking(source.raw)
        do {
            while true {
                guard let count = try Files.readAvailable(source.raw, into: &room) else {
                    try await Readiness.shared.readable(source.raw)
                    continue
                }
                guard count > 0 else { return }
                try await pass(room[..<count], to: sink, isFile: isFile)
            }
        } catch { await instance.abandon() }
    }

    /// Writes to an open file that is not ours and may block.
    private static func pass(_ chunk: ArraySlice<UInt8>, to sink: SharedFD, isFile: Bool) async throws(SystemError) {
        var rest = chunk
        while !rest.isEmpty {
            if !isFile { try await Readiness.shared.writable(sink.raw) }
            let part = isFile ? rest : rest.prefix(atomicBytes)
            if let count = try Files.writeAvailable(part, to: sink.raw) { rest = rest.dropFirst(count) }
        }
    }

    /// Writes to a pipe of our own, which does not block.
    private static func write(_ chunk: ArraySlice<UInt8>, to sink: SharedFD) async throws(SystemError) {
        var rest = chunk
        while !rest.isEmpty {
            if let count = try Files.writeAvailable(rest, to: sink.raw) {
                rest = rest.dropFirst(count)
            } else {
                try await Readiness.shared.writable(sink.raw)
            }
        }
    }
}
