package import Linux

extension ShiftState {
    /// Takes in what happened.
    package mutating func handle(_ event: ShiftEvent, now: Timestamp) throws(ShiftProblem) -> [ShiftAction] {
        switch event {
        case .ended(let call): return ended(call, now)
        case .compared(let result, let isControl, let call): return compared(result, isControl, call, now)
        case .asked(let verb): return try asked(verb, now)
        case .replaced(let identity): return replaced(identity, now)
        case .unmounted: return unmounted(now)
        case .unmountable(let why): return unmountable(why, now)
        }
    }

    // MARK: Calls

    private mutating func ended(_ call: EndedCall, _ now: Timestamp) -> [ShiftAction] {
        counts.calls += 1
        if let answer = call.answer {
            if call.way == .target {
                counts.answeredByTarget += 1
                target.add(answer)
                recentTarget.add(answer)
            } else {
                original.add(answer)
            }
        }
        if let run = call.shadow, !call.isControl {
            shadow.add(run)
            recentTarget.add(run)
        }
        var actions: [ShiftAction] = []
        if let detour = call.detour {
            counts.detours += 1
            detours += 1
            // The first of a stage: there may be one for every call.
            if !isDetourRecorded {
                isDetourRecorded = true
                actions.append(.record(.detour, "the original answered in the target's place: \(detour)"))
            }
        }
        return actions + judged(now)
    }

    private mutating func compared(
        _ result: ComparisonResult, _ isControl: Bool, _ call: String, _ now: Timestamp
    ) -> [ShiftAction] {
        if isControl {
            noise.addControl(result)
            return []
        }
        let judged = noise.judge(result)
        compared += 1
        counts.compared += 1
        recentComparisons.add(!judged.isEqual)
        guard !judged.isEqual else { return self.judged(now) }
        differing += 1
        counts.differing += 1
        var actions: [ShiftAction] = []
        let text = (judged.differences.first?.text ?? "a difference beyond what was kept\n") + "  call      \(call)"
        if firstDifference == nil { firstDifference = text }
        if counts.differing <= Self.recordedDifferences { actions.append(.record(.difference, text)) }
        return actions + self.judged(now)
    }

    /// Whether a limit has been passed, or a step is done.
    private mutating func judged(_ now: Timestamp) -> [ShiftAction] {
        guard isActive, stage.mode != .measure || spec.promotion != nil else { return [] }
        let violation = LimitCheck.violation(
            spec.limits, counts, original: original, target: recentTarget, comparisons: recentComparisons)
        if let violation { return rollBack("in \(stage), \(violation)", now) }
        guard let steps = spec.promotion, step < steps.count - 1, let calls = steps[step].calls, isDone(calls) else {
            return []
        }
        let before = stage
        step += 1
        enter(steps[step].stage, now)
        let text = "promoted from \(before) to \(stage) after \(calls) calls within the limits"
        return [.announce("\(name): \(text)."), .record(.promoted, text)]
    }

    private func isDone(_ calls: Int) -> Bool {
        let limits = spec.limits
        let hasRates =
            limits.differencePercent != nil || limits.errorPercent != nil || limits.latencyPercent != nil
            || limits.latencyMilliseconds != nil
        let needed = hasRates ? max(calls, limits.minimum) : calls
        return switch stage.mode {
        case .measure: counts.calls >= calls
        case .shadow: counts.compared >= needed
        case .canary, .full: counts.answeredByTarget >= needed
        }
    }

    private mutating func enter(_ stage: ShiftStage, _ now: Timestamp) {
        self.stage = stage
        since = now
        counts = StageCounts()
        recentTarget = RecentRuns()
        recentComparisons = RecentComparisons()
        firstDifference = nil
        isDetourRecorded = false
    }

    private mutating func rollBack(_ why: String, _ now: Timestamp) -> [ShiftAction] {
        phase = .rolledBack(why)
        since = now
        isMountWanted = false
        return [
            .announce("\(name): rolled back, the original answers every call: \(why)."), .record(.rolledBack, why),
            .unmount,
        ]
    }

    // MARK: Verbs

    private mutating func asked(_ verb: ShiftVerb, _ now: Timestamp) throws(ShiftProblem) -> [ShiftAction] {
        switch verb {
        case .pause(let unmounts): return try pause(unmounts, now)
        case .resume: return try resume(now)
        case .rollback:
            if case .rolledBack(let why) = phase {
                throw ShiftProblem(.conflict, "\(name) is rolled back already: \(why)")
            }
            return rollBack("somebody asked for it", now)
        case .change(let spec): return change(spec, now)
        }
    }

    private mutating func pause(_ unmounts: Bool, _ now: Timestamp) throws(ShiftProblem) -> [ShiftAction] {
        if case .rolledBack(let why) = phase {
            throw ShiftProblem(.conflict, "\(name) is rolled back, so there is nothing to pause: \(why)")
        }
        if case .paused(let why) = phase, isMountWanted != unmounts {
            throw ShiftProblem(.conflict, "\(name) is paused already: \(why)")
        }
        let text = unmounts ? "somebody asked for it, without the shim" : "somebody asked for it"
        phase = .paused(text)
        since = now
        let wasMounted = isMountWanted
        isMountWanted = !unmounts
        var actions: [ShiftAction] = [
            .announce("\(name): paused, the original answers every call."), .record(.paused, text),
        ]
        if unmounts, wasMounted { actions.append(.unmount) }
        if !unmounts, !wasMounted { actions.append(.mount) }
        return actions
    }

    private mutating func resume(_ now: Timestamp) throws(ShiftProblem) -> [ShiftAction] {
        switch phase {
        case .active: throw ShiftProblem(.conflict, "\(name) is not paused: it is in \(stage)")
        case .rolledBack(let why):
            throw ShiftProblem(
                .conflict,
                "\(name) is rolled back (\(why)): begin again with `forkless shift \(spec.program) --mode ...`")
        case .paused: break
        }
        phase = .active
        isMountWanted = true
        // What was counted before the pause may have been about another program.
        enter(stage, now)
        return [.announce("\(name): resumed in \(stage)."), .record(.resumed, "in \(stage)"), .mount]
    }

    private mutating func change(_ spec: ShiftSpec, _ now: Timestamp) -> [ShiftAction] {
        let (before, wasActive) = (stage, isActive)
        if spec.target != self.spec.target {
            // Another target has a history of its own.
            target = RunTally()
            shadow = RunTally()
        }
        if spec.allowed != self.spec.allowed { noise = NoiseBaseline() }
        self.spec = spec
        step = 0
        phase = .active
        isMountWanted = true
        enter(spec.stage, now)
        let place = spec.target.map { " to \($0)" } ?? ""
        let text = wasActive ? "from \(before) to \(stage)\(place)" : "begins again in \(stage)\(place)"
        return [.announce("\(name): \(text)."), .record(.changed, "\(text); limits: \(spec.limits.text)"), .mount]
    }

    // MARK: The file

    private mutating func replaced(_ identity: ProgramIdentity, _ now: Timestamp) -> [ShiftAction] {
        guard identity != self.identity else { return [] }
        self.identity = identity
        if case .rolledBack = phase { return [] }
        let why = "the program was replaced by another file, and what was seen of the old one says nothing about it"
        var actions: [ShiftAction] = [.record(.replaced, why)]
        if isActive {
            phase = .paused(why)
            since = now
            actions.insert(
                .announce("\(name): paused, the original answers every call: \(why). `forkless shift resume` goes on."),
                at: 0)
        }
        noise = NoiseBaseline()
        if isMountWanted { actions.append(.mount) }
        return actions
    }

    private mutating func unmounted(_ now: Timestamp) -> [ShiftAction] {
        guard isMountWanted else { return [] }
        let why = "somebody unmounted the shim, so that calls go straight to the original"
        phase = .paused(why)
        since = now
        isMountWanted = false
        return [
            .announce("\(name): paused: \(why). `forkless shift resume` mounts it again."), .record(.unmounted, why),
        ]
    }

    private mutating func unmountable(_ why: String, _ now: Timestamp) -> [ShiftAction] {
        guard isMountWanted else { return [] }
        phase = .paused(why)
        since = now
        isMountWanted = false
        return [.announce("\(name): paused, calls go straight to the original: \(why)"), .record(.unmounted, why)]
    }

    /// "jq-1f3a (/usr/bin/jq)"
    package var name: String { "\(id) (\(spec.program))" }
}
