import Linux

/// What can be known to be wrong with options before anything is started.
extension Options {
    /// The first thing that is wrong with them, as an error.
    func check() throws(SpawnError) {
        if let directory { try SpawnError.check(directory, as: "directory") }
        if let argumentZero { try SpawnError.check(argumentZero, as: "argv[0]") }
        try checkStreams()
        try checkNumbers()
        try checkLimits()
        if let user {
            // To setresuid(2) and setresgid(2) this number means "as before": the program would keep our identity.
            for id in [user.uid, user.gid] + user.groups {
                try Self.demand(id != .max, "become user \(user.uid) of group \(user.gid)", "4294967295 is no id.")
            }
        }
        for number in blockedSignals + defaultSignals + (deathSignal.map { [$0] } ?? []) {
            try Self.demand((1...64).contains(number), "use signal \(number)", "Signals are numbered from 1 to 64.")
        }
        if case .joining(let group) = group {
            try Self.demand(group > 0, "join process group \(group)", "A process group is a positive number.")
            try Self.demand(
                !usesTerminal, "join process group \(group)",
                "A program with a terminal of its own has its own session.")
        }
    }

    private func checkStreams() throws(SpawnError) {
        for target in descriptors.keys.sorted() {
            let step = "map a descriptor to \(target)"
            try Self.demand(target >= 0, step, "A descriptor is not negative.")
            try Self.demand(target > 2, step, "0, 1 and 2 are the standard streams, which have options of their own.")
            try Self.demand(target <= Plan.highestTarget, step, "The highest number is \(Plan.highestTarget).")
        }
        try Self.demand(
            standardOutput != .standardOutput, "send standard output to itself", "Only standard error can join it.")
        if case .descriptor(let fd) = standardInput { try Self.checkSource(fd) }
        for output in [standardOutput, standardError] {
            if case .descriptor(let fd) = output { try Self.checkSource(fd) }
        }
    }

    private func checkNumbers() throws(SpawnError) {
        if let umask { try Self.demand(umask <= 0o777, "set the umask", "A umask has nine bits: 0 to 0o777.") }
        if let nice {
            try Self.demand((-20...19).contains(nice), "set the priority to nice \(nice)", "Nice is from -20 to 19.")
        }
        if let processors {
            try Self.demand(
                !processors.isEmpty && processors.allSatisfy { (0..<Plan.processorLimit).contains($0) },
                "use the processors \(processors.sorted())",
                "Name at least one, each from 0 to \(Plan.processorLimit - 1).")
        }
        if let scheduler, let priority = scheduler.realTimePriority {
            try Self.demand(
                (1...99).contains(priority), "set the scheduler",
                "A real-time priority is from 1 to 99, not \(priority).")
        }
    }

    private func checkLimits() throws(SpawnError) {
        var seen: Set<ResourceLimit.Resource> = []
        for limit in limits {
            let step = "set the limit \(limit)"
            try Self.demand(seen.insert(limit.resource).inserted, step, "The resource has a limit already.")
            try Self.demand((limit.soft ?? .max) <= (limit.hard ?? .max), step, "The soft limit is above the hard one.")
        }
    }

    static func checkSource(_ fd: CInt) throws(SpawnError) {
        try demand(fd >= 0, "use descriptor \(fd) as a standard stream", "A descriptor is not negative.")
    }

    private static func demand(_ holds: Bool, _ step: String, _ advice: String) throws(SpawnError) {
        if !holds { throw SpawnError(step: step, code: .invalid, advice: advice) }
    }
}

extension Options.Scheduler {
    /// sched_setscheduler(2): the policy's number.
    var policy: Int32 {
        switch self {
        case .other: 0
        case .firstInFirstOut: 1
        case .roundRobin: 2
        case .batch: 3
        case .idle: 5
        }
    }

    var realTimePriority: Int32? {
        switch self {
        case .firstInFirstOut(let priority), .roundRobin(let priority): priority
        case .other, .batch, .idle: nil
        }
    }
}
