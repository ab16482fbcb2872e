/// An instance that belongs to one call: its caller writes the input, reads the output and asks how it ended.
///
/// The caller takes `streams.takeInput()`, writes, and closes it; takes and reads the output and errors to their ends;
/// then calls `finish`. Whoever does not want the answer any more calls `abandon`.
package struct AssignedInstance: Sendable {
    package let call: CallID
    /// The name of the sandbox or whatever else runs it.
    package let name: String
    package let pid: Int32
    package let streams: InstanceStreams
    package let handOver: HandOver
    let handedAt: Instant
    let ending: Task<Ending, Never>
    let worker: StandbyWorker

    /// An end, with the time at which it was heard of.
    struct Ending: Sendable {
        var end: InstanceEnd
        var at: Instant
    }

    /// Waits until the program has ended. When the task is cancelled, the program is stopped, and this still
    /// returns its end.
    package func finish() async -> CallRecord {
        let last = await withTaskCancellationHandler {
            await ending.value
        } onCancel: {
            Task { await abandon() }
        }
        return CallRecord(
            instance: name, queued: handOver.queued, wasStandby: handOver.wasReady,
            run: last.at - handedAt, end: last.end)
    }

    /// Stops the program: nobody wants its answer. No effect when it has ended.
    package func abandon() async { await worker.leave(call) }
}

/// What one call cost.
package struct CallRecord: Hashable, Sendable {
    package var instance: String
    /// From the call's arrival until it had an instance.
    package var queued: Duration
    /// Whether that instance was waiting at its first read.
    package var wasStandby: Bool
    /// From then until the program's end was known.
    package var run: Duration
    /// How it ended. CPU time and memory are those of the instance's whole life, its start included.
    package var end: InstanceEnd

    /// What the caller waited for in all.
    package var wall: Duration { queued + run }
    package var cpu: Duration { .microseconds(end.userMicroseconds + end.systemMicroseconds) }
}
