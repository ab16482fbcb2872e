internal import Linux

/// The kernel's account of every task that ends, as the door wants it.
package struct KernelTaskEnds: TaskEnds {
    private let accounting: TaskAccounting

    /// Opens it; nil: this process may not (CAP_NET_ADMIN), or the kernel has none.
    package init?() {
        guard let accounting = try? TaskAccounting() else { return nil }
        self.accounting = accounting
    }

    package var fd: CInt { accounting.fd }

    package func take() -> (tasks: [EndedTask], mayHaveMore: Bool) {
        guard let batch = try? accounting.take() else { return ([], false) }
        let tasks = batch.records.map { record in
            var task = EndedTask(process: record.process, parent: record.parent, isLast: record.isLast)
            task.cpuNanoseconds = record.cpuNanoseconds
            task.userNanoseconds = record.userNanoseconds ?? 0
            task.systemNanoseconds = record.systemNanoseconds ?? 0
            task.peakResidentBytes = record.peakResidentBytes
            task.minorFaults = record.minorFaults ?? 0
            task.majorFaults = record.majorFaults ?? 0
            return task
        }
        return (tasks, batch.isFull)
    }
}
