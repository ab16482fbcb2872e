package import Linux
import Synchronization

/// A recording while it is made: what an observer tells goes into the file, if there is one, and into the counts.
package final class RecordingSession: Sendable {
    private struct State: ~Copyable {
        var tally = ProgramTally()
        var file: RecordingFile?
        var failure: SystemError?
        var losses: RecordingLosses?
        var processes = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    package let header: RecordingHeader
    package let origins: [ProgramOrigin]
    /// CLOCK_MONOTONIC at the start.
    package let start: Int
    private let state: Mutex<State>
    private let each: (@Sendable (RecordedProcess) -> Void)?

    /// - Parameters:
    ///   - path: where the recording is written; nil: nowhere.
    ///   - each: told of every process when it has ended, on the observer's thread.
    package init(
        _ header: RecordingHeader, start: Int, origins: [ProgramOrigin], to path: String?,
        each: (@Sendable (RecordedProcess) -> Void)? = nil
    ) throws(SystemError) {
        self.header = header
        self.start = start
        self.origins = origins
        self.each = each
        var state = State()
        if let path {
            var file = try RecordingFile(creating: path, header)
            for origin in origins { try file.append(origin) }
            state.file = consume file
        }
        self.state = Mutex(state)
    }

    /// What an observer is given to tell.
    package var listener: @Sendable (LiveObserver.News) -> Void {
        { [self] news in
            switch news {
            case .ended(let process): add(process)
            case .over(let losses, let error): over(losses, error)
            }
        }
    }

    /// Waits until the observer is done.
    package func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.losses == nil { state.waiters.append(continuation) }
                return state.losses != nil
            }
            if isOver { continuation.resume() }
        }
    }

    /// Writes the end. Called once, when the observer is done.
    ///
    /// - Returns: the end, with what was lost.
    /// - Throws: `SystemError`: the file could not be written, or the observer failed.
    package func finish(_ reason: RecordingEnd.Reason) throws(SystemError) -> RecordingEnd {
        try state.withLock { state throws(SystemError) in
            let end = RecordingEnd(
                at: Clock.monotonicNanoseconds() - start, reason: state.failure == nil ? reason : .failed,
                losses: state.losses ?? RecordingLosses())
            try state.file.take()?.finish(end)
            if let failure = state.failure { throw failure }
            return end
        }
    }

    /// What has been counted up to now.
    package struct Counts: Sendable {
        package var processes: Int
        package var calls: Int
        package var nanoseconds: Int
        package var programs: [RecordedProgram]
        package var failure: SystemError?
    }

    package func counts() -> Counts {
        let now = Clock.monotonicNanoseconds() - start
        let (tally, processes, failure) = state.withLock { ($0.tally, $0.processes, $0.failure) }
        return Counts(
            processes: processes, calls: tally.calls, nanoseconds: now, programs: tally.programs(over: now),
            failure: failure)
    }

    private func add(_ process: RecordedProcess) {
        state.withLock { state in
            state.tally.add(process)
            state.processes += 1
            do throws(SystemError) { try state.file?.append(process) } catch {
                // The counts go on; the file ends here, and finish says why.
                state.failure = error
                state.file = nil
            }
        }
        each?(process)
    }

    private func over(_ losses: RecordingLosses, _ error: SystemError?) {
        let waiters = state.withLock { state in
            state.losses = losses
            if state.failure == nil { state.failure = error }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}

extension RecordingHeader {
    /// The header of a recording that is made here and now.
    package static func here(
        _ mode: Mode, sources: [String], command: [String] = [], writer: String
    ) -> RecordingHeader {
        let machine = MachineName.current()
        return RecordingHeader(
            mode: mode, machine: machine.node, kernel: machine.kernel, architecture: machine.architecture,
            processors: OwnProcess.processors(), memoryBytes: memoryBytes(), start: Clock.now(), sources: sources,
            command: command, uid: OwnProcess.effectiveUser, writer: writer)
    }

    private static func memoryBytes() -> Int? {
        guard let text = try? Files.readText("/proc/meminfo"), let line = text.split(separator: "\n").first,
            line.hasPrefix("MemTotal:")
        else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }
}
