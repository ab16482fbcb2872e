package import Linux
import Synchronization

/// Watches every process of the machine, unmodified, from the kernel's own events and accounting.
///
/// One thread reads both sockets, and /proc of a process as soon as its event is there; what it means is decided by
/// `ProcessTable`. Nothing is put in anybody's way: an observer that cannot keep up loses events, and counts.
package final class LiveObserver: Sendable {
    /// What the observer tells, on its own thread.
    package enum News: Sendable {
        case ended(RecordedProcess)
        /// It is over, because it was stopped or because of an error; nothing follows.
        case over(RecordingLosses, SystemError?)
    }

    /// How long accounting may come after the exit that it belongs to. The kernel sends it first; only the sockets differ.
    private static let patience = 500_000_000
    /// An exec shows in /proc before its event is stamped; nothing but loading the program lies between.
    private static let blur = 100_000
    private static let roundMilliseconds: CInt = 250
    private static let eventToken: UInt64 = 1
    private static let accountToken: UInt64 = 2
    private static let stopToken: UInt64 = 3

    private let events: ProcessEvents
    private let accounts: TaskAccounting
    /// Closed to stop: the other end hangs up.
    private let stopper: Mutex<SharedFD?>
    private let stopped: SharedFD

    /// Opens the sockets: from here on nothing is missed.
    ///
    /// - Throws: `SystemError`; EPERM for everybody but root.
    package init() throws(SystemError) {
        events = try ProcessEvents()
        accounts = try TaskAccounting()
        let (reader, writer) = try Files.pipe().ends()
        stopped = reader
        stopper = Mutex(writer)
    }

    /// What it hears of, for the header of a recording.
    package static let sources = ["proc connector", "taskstats", "/proc"]

    /// Starts the thread.
    ///
    /// - Parameter start: CLOCK_MONOTONIC at the start of the recording.
    package func run(
        from start: Int, origins: [ProgramOrigin], _ tell: @escaping @Sendable (News) -> Void
    ) throws(SystemError) {
        try HelperThread.start("observer") { [self] in
            // At the ordinary priority: a higher one would read more of short processes, and take its time from them.
            var work = Work(
                table: ProcessTable(
                    start: start, accounting: .following(patience: Self.patience), origins: origins, blur: Self.blur),
                tell: tell)
            do throws(SystemError) {
                try watch(&work)
                work.finish(nil)
            } catch { work.finish(error) }
        }
    }

    /// Has the thread read what waits and end.
    package func stop() { stopper.withLock { $0 = nil } }

    private func watch(_ work: inout Work) throws(SystemError) {
        let poll = try Poll()
        try poll.add(events.fd, .readable, token: Self.eventToken)
        try poll.add(accounts.fd, .readable, token: Self.accountToken)
        try poll.add(stopped.raw, [.readable, .hangUp], token: Self.stopToken)
        work.lookAround()
        var ready: [Poll.Event] = []
        while true {
            try poll.wait(timeoutMilliseconds: Self.roundMilliseconds, into: &ready)
            try drain(&work)
            work.pass()
            if ready.contains(where: { $0.token == Self.stopToken }) { return try drain(&work) }
        }
    }

    /// Reads until nothing waits.
    ///
    /// Accounting is taken first and looked at last: a process's fork and exec were told before its accounting, so that
    /// by then they have been read.
    private func drain(_ work: inout Work) throws(SystemError) {
        while true {
            let records = try accounts.take()
            if records.isOverrun { work.table.lost { $0.accountingOverruns += 1 } }
            let count = try drainEvents(&work)
            for record in records.records { work.take(record) }
            if count == 0, records.records.isEmpty, !records.isFull { return }
        }
    }

    private func drainEvents(_ work: inout Work) throws(SystemError) -> Int {
        var count = 0
        while true {
            let batch = try events.take()
            if batch.isOverrun { work.table.lost { $0.eventOverruns += 1 } }
            if batch.unreadable > 0 { work.table.lost { $0.unreadableEvents += batch.unreadable } }
            for event in batch.events { work.take(event) }
            count += batch.events.count
            if !batch.isFull { return count }
        }
    }

    /// What the thread works on.
    private struct Work {
        var table: ProcessTable
        let tell: @Sendable (News) -> Void
        var names = ExecutableNames()

        /// The processes that are there already. The sockets are open: whoever is forked meanwhile is heard of as well.
        mutating func lookAround() {
            for pid in (try? ProcessFiles.all()) ?? [] {
                guard let parent = ProcessFiles.parent(pid) else { continue }
                let glimpse = ProcessFiles.glimpse(pid, withUnit: true)
                if let path = glimpse.executable { names.learn(path) }
                _ = table.take(
                    .present(
                        pid: pid, parent: parent, program: glimpse.program?.path, arguments: glimpse.arguments,
                        unit: glimpse.unit))
            }
        }

        mutating func take(_ event: ProcessEvent) {
            switch event {
            case .forked(let at, let parent, let child): feed(.forked(at: at, parent: parent, child: child))
            case .executed(let at, let pid): feed(.executed(at: at, pid: pid))
            case .exited(let at, let pid, let status): feed(.exited(at: at, pid: pid, status: status))
            }
        }

        mutating func take(_ record: TaskRecord) {
            let path = record.executable.flatMap { names.path(of: $0, now: Clock.monotonicNanoseconds()) }
            feed(.accounted(record, executable: path))
        }

        mutating func pass() { perform(table.pass(to: Clock.monotonicNanoseconds())) }

        mutating func finish(_ error: SystemError?) {
            perform(table.finish())
            tell(.over(table.losses, error))
        }

        private mutating func feed(_ event: ProcessTable.Event) { perform(table.take(event)) }

        private mutating func perform(_ actions: [ProcessTable.Action]) {
            for action in actions {
                switch action {
                case .look(let pid, let withUnit):
                    let glimpse = ProcessFiles.glimpse(pid, withUnit: withUnit)
                    if let path = glimpse.executable { names.learn(path) }
                    feed(.looked(pid: pid, glimpse))
                case .measure(let pid):
                    feed(
                        .measured(
                            at: Clock.monotonicNanoseconds(), pid: pid, bytes: ProcessFiles.residentBytes(pid)))
                case .settle(let pid):
                    feed(.settled(pid: pid, cpuNanoseconds: ProcessFiles.processorTime(pid)))
                case .record(let process): tell(.ended(process))
                }
            }
        }
    }
}
