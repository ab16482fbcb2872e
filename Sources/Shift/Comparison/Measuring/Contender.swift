/// A program of a workload, with what goes to it.
package struct WorkloadStream: Hashable, Sendable {
    /// As the workload names it; the program's own name where there is one program.
    package var name: String
    package var program: String
    package var arguments: [String]
    package var input: WorkloadInput
    /// When its calls arrive under load; nil: at a rate that suits all rungs.
    package var schedule: ArrivalSchedule?
    /// Its part among the calls one at a time.
    package var weight: Double
    /// Calls of it at once, at most; nil: as many as arrive.
    package var concurrency: Int?

    package init(
        name: String, program: String, arguments: [String], input: WorkloadInput, schedule: ArrivalSchedule? = nil,
        weight: Double = 1, concurrency: Int? = nil
    ) {
        precondition(weight > 0 && (concurrency ?? 1) > 0, "a stream has a share, and room for a call")
        self.name = name
        self.program = program
        self.arguments = arguments
        self.input = input
        self.schedule = schedule
        self.weight = weight
        self.concurrency = concurrency
    }
}

/// What is run on every rung: one program, or a mix.
package struct ComparedWorkload: Hashable, Sendable {
    package var name: String
    /// Never empty.
    package var streams: [WorkloadStream]
    /// How long the streams' own schedules last, nanoseconds.
    package var loadNanoseconds: Int?

    package init(name: String, streams: [WorkloadStream], loadNanoseconds: Int? = nil) {
        precondition(!streams.isEmpty, "a workload has a program")
        self.name = name
        self.streams = streams
        self.loadNanoseconds = loadNanoseconds
    }

    package var hasSchedules: Bool { streams.contains { $0.schedule != nil } }

    /// Calls one at a time: which stream each goes to, and which of the stream's inputs it gets.
    package func calls(_ count: Int) -> [WorkloadCall] {
        var order = MixOrder(weights: streams.map(\.weight))
        var numbers = streams.map { _ in 0 }
        return (0..<count).map { _ in
            let stream = order.next()
            defer { numbers[stream] += 1 }
            return WorkloadCall(stream: stream, number: numbers[stream])
        }
    }

    /// Calls one at a time until every input of every stream was given once: of a mix no more than 100,000, since a program
    /// that is hardly ever called would have the others called for days.
    package var callsForAllInputs: Int {
        guard streams.count > 1 else { return streams[0].input.inputs.count }
        let total = streams.reduce(0) { $0 + $1.weight }
        let calls = streams.map { (Double($0.input.inputs.count) * total / $0.weight).rounded(.up) }.max() ?? 1
        return Int(min(calls, Self.mostCallsForAllInputs))
    }

    private static let mostCallsForAllInputs = 100_000.0

    /// Arrivals under load, in order. Streams without a schedule of their own share `rate`, and all of it where none has one.
    package func arrivals(rate: Double, seed: Int, forNanoseconds duration: Int) -> [WorkloadArrival] {
        let free = streams.filter { $0.schedule == nil }.reduce(0) { $0 + $1.weight }
        var arrivals: [WorkloadArrival] = []
        for (index, stream) in streams.enumerated() {
            let schedule =
                stream.schedule ?? .poisson(perSecond: rate * stream.weight / free, seed: seed &+ index)
            for (number, time) in schedule.arrivals(forNanoseconds: duration).enumerated() {
                arrivals.append(WorkloadArrival(nanoseconds: time, call: WorkloadCall(stream: index, number: number)))
            }
        }
        return arrivals.sorted {
            ($0.nanoseconds, $0.call.stream, $0.call.number) < ($1.nanoseconds, $1.call.stream, $1.call.number)
        }
    }

    /// The same workload with its own schedules left out: for the search of the knee.
    package var withoutSchedules: ComparedWorkload {
        var workload = self
        for index in streams.indices {
            workload.streams[index].weight = streams[index].schedule?.perSecond ?? streams[index].weight
            workload.streams[index].schedule = nil
        }
        return workload
    }
}

/// Which program is called, and with which of its inputs.
package struct WorkloadCall: Hashable, Sendable {
    package var stream: Int
    /// From 0 in its stream.
    package var number: Int
}

/// When a call is to begin, from the beginning of the load.
package struct WorkloadArrival: Hashable, Sendable {
    package var nanoseconds: Int
    package var call: WorkloadCall
}

/// A rung that takes part: one `ComparedRung` for each program of the workload.
package struct Contender: Sendable {
    package var rungs: [any ComparedRung]
    /// Why calls under load are not made; nil: they are.
    package var noLoad: String?

    /// Whether somebody asked for this rung by name: one that nobody asked for and that does not apply is left out.
    package var isAsked: Bool

    /// - Precondition: a rung for each stream, all with one label.
    package init(_ rungs: [any ComparedRung], noLoad: String? = nil, isAsked: Bool = true) {
        self.isAsked = isAsked
        precondition(!rungs.isEmpty && Set(rungs.map(\.label)).count == 1, "a contender is one rung for each program")
        self.rungs = rungs
        self.noLoad = noLoad
    }

    package var label: RungLabel { rungs[0].label }
}
