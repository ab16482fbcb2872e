/// Sums over entries of the ledger. Whole numbers only: sums of sums are exact.
package struct CallTotals: Hashable, Sendable {
    /// All calls, refused and replayed ones too.
    package var calls = 0
    /// Those that an instance served: the requests that are priced.
    package var runs = 0
    /// The function answered with an error, ran out of time or out of memory.
    package var errors = 0
    package var timeouts = 0
    package var outOfMemory = 0
    /// Not run for want of concurrency or memory, or because the deadline could not be met.
    package var refused = 0
    /// Answered with the first answer of their key.
    package var replays = 0
    /// Runs whose instance was started for them, from nothing or from a zygote.
    package var coldStarts = 0
    /// Billed duration times memory size, MB milliseconds, on instances made on demand.
    package var demandMegabyteMilliseconds = 0
    /// The same on provisioned instances.
    package var provisionedMegabyteMilliseconds = 0
    /// Provisioned instances, used or not: their memory size times the time they were there.
    package var capacityMegabyteMilliseconds = 0
    /// What /tmp had beyond 512 MB, times billed duration.
    package var ephemeralMegabyteMilliseconds = 0
    package var billedMilliseconds = 0
    package var durationMicroseconds = 0
    package var initMicroseconds = 0
    package var queueMicroseconds = 0
    package var cpuMicroseconds = 0
    /// The most that a call had.
    package var peakMemoryBytes = 0
    /// Of runs.
    package var durations = DurationHistogram()
    /// Calls of which nothing but their number is known.
    package var lost = 0

    package init() {}

    package mutating func add(_ entry: LedgerEntry) {
        switch entry {
        case .call(let call): add(call)
        case .provisioned(let capacity): add(capacity.megabyteMilliseconds, to: \.capacityMegabyteMilliseconds)
        case .lost(let calls): add(calls, to: \.lost)
        }
    }

    private mutating func add(_ call: MeteredCall) {
        calls += 1
        switch call.outcome {
        case .refused: return refused += 1
        case .replayed: return replays += 1
        case .success: break
        case .functionError: errors += 1
        case .timedOut:
            errors += 1
            timeouts += 1
        case .outOfMemory:
            errors += 1
            outOfMemory += 1
        }
        runs += 1
        if call.start == .cold || call.start == .zygote { coldStarts += 1 }
        let use = call.billedMilliseconds.clampedMultiplying(by: call.memoryMB)
        add(use, to: call.start == .provisioned ? \.provisionedMegabyteMilliseconds : \.demandMegabyteMilliseconds)
        let ephemeral = max(512, call.ephemeralMB) - 512
        add(call.billedMilliseconds.clampedMultiplying(by: ephemeral), to: \.ephemeralMegabyteMilliseconds)
        add(call.billedMilliseconds, to: \.billedMilliseconds)
        add(call.durationMicroseconds, to: \.durationMicroseconds)
        add(call.initMicroseconds ?? 0, to: \.initMicroseconds)
        add(call.queueMicroseconds, to: \.queueMicroseconds)
        add(call.cpuMicroseconds, to: \.cpuMicroseconds)
        peakMemoryBytes = max(peakMemoryBytes, call.peakMemoryBytes)
        durations.add(microseconds: call.durationMicroseconds)
    }

    package mutating func merge(_ other: CallTotals) {
        for path in Self.sums { add(other[keyPath: path], to: path) }
        peakMemoryBytes = max(peakMemoryBytes, other.peakMemoryBytes)
        durations.merge(other.durations)
    }

    /// What is less than nothing counts as nothing.
    private mutating func add(_ number: Int, to path: WritableKeyPath<CallTotals, Int>) {
        self[keyPath: path] = self[keyPath: path].clampedAdding(max(0, number))
    }

    /// Everything that is added up, in the order in which it is kept. New ones go to the end.
    private static var sums: [WritableKeyPath<CallTotals, Int>] {
        [
            \.calls, \.runs, \.errors, \.timeouts, \.outOfMemory, \.refused, \.replays, \.coldStarts,
            \.demandMegabyteMilliseconds, \.provisionedMegabyteMilliseconds, \.capacityMegabyteMilliseconds,
            \.ephemeralMegabyteMilliseconds, \.billedMilliseconds, \.durationMicroseconds, \.initMicroseconds,
            \.queueMicroseconds, \.cpuMicroseconds, \.lost,
        ]
    }

    /// As the database keeps it: how many sums, the sums, the peak, the histogram.
    var packed: [UInt8] {
        var numbers = PackedNumbers()
        numbers.append(Self.sums.count)
        for path in Self.sums { numbers.append(self[keyPath: path]) }
        numbers.append(peakMemoryBytes)
        durations.write(to: &numbers)
        return numbers.bytes
    }

    /// nil when the bytes are damaged.
    init?(packed bytes: [UInt8]) {
        var numbers = PackedNumbers.Reader(bytes)
        let paths = Self.sums
        guard let count = numbers.next(), count <= paths.count else { return nil }
        for path in paths[..<count] {
            guard let sum = numbers.next() else { return nil }
            self[keyPath: path] = sum
        }
        guard let peak = numbers.next(), let histogram = DurationHistogram(&numbers), numbers.isAtEnd else { return nil }
        peakMemoryBytes = peak
        durations = histogram
    }
}
