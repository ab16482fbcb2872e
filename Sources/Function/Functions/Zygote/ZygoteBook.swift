// What one zygote does next, decided without doing it: events in, actions out.
//
// A function version has at most one zygote, the process that has imported the function, and any number of places:
// sandboxes beneath it in each of which a fork of it waits for its turn. An instance takes a place that waits, or waits
// for the next one.
//
// Invariants (with their tests in ZygoteBookTests)
// 1. Whoever wants a place is answered once: with a place, or with "start it another way".
//    (`whatever happens everybody is answered once`)
// 2. A place is given once, and one that nobody took is ended. (the same)
// 3. There are never two zygotes. (the same)
// 4. A zygote that cannot be forked from is not started again until the function changes; one that ended is, later and
//    later. (`a function that cannot be forked is started another way from then on`, `a zygote that dies comes back after
//    growing pauses`)
// 5. Nobody waits for what would not come sooner than a cold start: who wants the first instance has it started cold
//    beside the zygote, and so has everybody who comes right after; those that come later would be initialised later
//    than the zygote is, so they wait for it. (`the first instance starts cold, beside the zygote`)
// 6. What is not used goes: places first, the zygote later. (`an unused zygote goes`)

/// A place's number, and that of who wants one.
package struct ZygotePlaceID: Hashable, Sendable { package var number: Int }
package struct ZygoteWish: Hashable, Sendable { package var number: Int }

package enum ZygoteEvent: Hashable, Sendable {
    case wanted(ZygoteWish)
    /// The zygote has imported the function and waits.
    case ready
    /// It cannot be forked from; the text completes "cannot be forked:".
    case unfit(String)
    /// It has ended, or could not be started.
    case ended(String)
    case placeReady(ZygotePlaceID)
    case placeFailed(ZygotePlaceID, String)
    /// A place has ended, taken or not.
    case placeEnded(ZygotePlaceID)
    case timer
    /// The function will not be started any more.
    case forgotten
}

package enum ZygoteAction: Hashable, Sendable {
    case startZygote
    case endZygote
    case makePlace(ZygotePlaceID)
    case give(ZygotePlaceID, to: ZygoteWish)
    /// It is to be started as if there were no zygote.
    case startCold(ZygoteWish)
    case endPlace(ZygotePlaceID)
    /// For the function's log.
    case say(String)
    /// In place of the former one.
    case setTimer(Instant)
}

package struct ZygoteBook: Sendable {
    /// A place waits this long after the last instance was wanted.
    package static let placePatience = Duration.seconds(60)
    /// The zygote itself stays so long after the last instance was wanted, and then as long as instances live.
    package static let zygotePatience = Duration.seconds(900)
    /// Most places that are made at once: each is work for two processors.
    static let makingLimit = 4
    /// Most places that wait.
    static let spareLimit = 8
    /// So many places that fail one after the other end the zygote. Those that were being made together fail together.
    static let failureLimit = 3
    /// What a fork and its place take: a cold start that begins no later than this after the zygote's is ready before it.
    static let headStart = Duration.milliseconds(100)
    /// The next place is made so long after one was given: not while the instance in it answers its first call.
    static let refillPause = Duration.milliseconds(10)
    /// No place is made so long after one failed, or ended while it waited: the zygote may be ending, of which its places
    /// tell first, and its end is no fault of forks.
    static let failurePause = Duration.milliseconds(100)
    static let firstPause = Duration.seconds(1)
    static let longestPause = Duration.seconds(300)

    private enum Phase: Hashable, Sendable {
        case absent
        case starting(since: Instant)
        case ready
        /// Told to end.
        case ending
        case resting(until: Instant)
    }

    private var phase = Phase.absent
    private var making: Set<ZygotePlaceID> = []
    private var waiting: [ZygotePlaceID] = []
    private var taken: Set<ZygotePlaceID> = []
    private var wishes: [ZygoteWish] = []
    private var recent: [Instant] = []
    private var lastWish: Instant?
    private var lastGiven: Instant?
    private var lastFailure: Instant?
    private var failures = 0
    private var deaths = 0
    private var lastPlace = 0
    private var isForgotten = false
    /// Why it is not forked from any more, whatever is alive of it; nil while it may be.
    package private(set) var unfitReason: String?

    package init() {}

    /// Nothing is there and nothing will be.
    package var isOver: Bool {
        phase == .absent && making.isEmpty && waiting.isEmpty && taken.isEmpty && wishes.isEmpty
    }

    private var isUnfit: Bool { unfitReason != nil }
    private var isStarting: Bool { if case .starting = phase { true } else { false } }

    /// For a status: whether instances are forked, and how many wait.
    package var isReady: Bool { phase == .ready && !isUnfit }
    package var waitingCount: Int { waiting.count }

    package mutating func handle(_ event: ZygoteEvent, now: Instant) -> [ZygoteAction] {
        var actions: [ZygoteAction] = []
        switch event {
        case .wanted(let wish): wanted(wish, now, &actions)
        case .ready:
            guard isStarting else { break }
            phase = .ready
            deaths = 0
        case .unfit(let reason):
            guard isStarting else { break }
            actions += [
                .say("Instances are started without a zygote, since the function cannot be forked: \(reason)"), .endZygote,
            ]
            unfitReason = "the function cannot be forked: \(reason)"
            phase = .ending
        case .ended(let reason): zygoteEnded(reason, now, &actions)
        case .placeReady(let place):
            guard making.remove(place) != nil else { break }
            failures = 0
            waiting.append(place)
        case .placeFailed(let place, let reason): placeFailed(place, reason, now, &actions)
        case .placeEnded(let place):
            making.remove(place)
            taken.remove(place)
            if waiting.contains(place) { lastFailure = now }
            waiting.removeAll { $0 == place }
        case .timer: break
        case .forgotten: isForgotten = true
        }
        settle(now, &actions)
        return actions
    }

    private mutating func wanted(_ wish: ZygoteWish, _ now: Instant, _ actions: inout [ZygoteAction]) {
        lastWish = now
        recent.append(now)
        if case .resting(let until) = phase, until <= now { phase = .absent }
        switch phase {
        case _ where isUnfit || isForgotten: actions.append(.startCold(wish))
        case .resting, .ending: actions.append(.startCold(wish))
        case .absent:
            phase = .starting(since: now)
            actions += [.startCold(wish), .startZygote]
        case .starting(let since) where now <= since + Self.headStart: actions.append(.startCold(wish))
        case .starting, .ready: wishes.append(wish)
        }
    }

    private mutating func zygoteEnded(_ reason: String, _ now: Instant, _ actions: inout [ZygoteAction]) {
        switch phase {
        case .absent, .resting: break
        case .ending: phase = .absent
        case .starting, .ready:
            let pause = min(Self.firstPause * (1 << min(deaths, 10)), Self.longestPause)
            deaths += 1
            failures = 0
            phase = .resting(until: now + pause)
            guard !isForgotten else { break }
            actions.append(.say("The zygote has ended (\(reason)): instances are started without it for \(pause)"))
        }
    }

    private mutating func placeFailed(
        _ place: ZygotePlaceID, _ reason: String, _ now: Instant, _ actions: inout [ZygoteAction]
    ) {
        guard making.remove(place) != nil || taken.remove(place) != nil else { return }
        if lastFailure.map({ now - $0 >= Self.failurePause }) ?? true { failures += 1 }
        lastFailure = now
        actions.append(.say("A fork of the zygote failed: \(reason)"))
        // Nobody waits for the next attempt.
        while wishes.count > making.count { actions.append(.startCold(wishes.removeFirst())) }
        guard failures >= Self.failureLimit, phase == .ready else { return }
        actions.append(.say("Instances are started without a zygote, since forks of it fail"))
        // Those that live go on; it ends with the last of them.
        unfitReason = "forks of the zygote fail: \(reason)"
    }

    /// Brings what is there to what should be.
    private mutating func settle(_ now: Instant, _ actions: inout [ZygoteAction]) {
        if isUnfit || phase != .ready && !isStarting {
            for wish in wishes { actions.append(.startCold(wish)) }
            wishes = []
        }
        while let wish = wishes.first, let place = waiting.first, phase == .ready {
            wishes.removeFirst()
            waiting.removeFirst()
            taken.insert(place)
            lastGiven = now
            actions.append(.give(place, to: wish))
        }
        let wanted = spares(now)
        while waiting.count > wanted || phase != .ready && !waiting.isEmpty { actions.append(.endPlace(waiting.removeLast())) }
        let needed = wishes.count + (refill(now) == nil ? wanted : 0)
        let mayMake = lastFailure.map { $0 + Self.failurePause <= now } ?? true
        if !mayMake, making.isEmpty {
            for wish in wishes { actions.append(.startCold(wish)) }
            wishes = []
        }
        while phase == .ready, mayMake, making.count < Self.makingLimit, making.count + waiting.count < needed {
            lastPlace += 1
            making.insert(ZygotePlaceID(number: lastPlace))
            actions.append(.makePlace(ZygotePlaceID(number: lastPlace)))
        }
        if phase == .ready, isIdle(now) {
            phase = .ending
            actions.append(.endZygote)
        }
        if let next = nextTimer(now) { actions.append(.setTimer(next)) }
    }

    /// How many places should wait: as many as were wanted within the last second, and one.
    private mutating func spares(_ now: Instant) -> Int {
        recent.removeAll { $0 + .seconds(1) <= now }
        guard !isForgotten, !isUnfit, let lastWish, now < lastWish + Self.placePatience else { return 0 }
        return min(max(recent.count, 1), Self.spareLimit)
    }

    /// When places for nobody in particular are made again; nil: now.
    private func refill(_ now: Instant) -> Instant? {
        guard let time = lastGiven.map({ $0 + Self.refillPause }), now < time else { return nil }
        return time
    }

    private func isIdle(_ now: Instant) -> Bool {
        guard making.isEmpty, waiting.isEmpty, taken.isEmpty, wishes.isEmpty else { return false }
        guard let lastWish, !isForgotten, !isUnfit else { return true }
        return lastWish + Self.zygotePatience <= now
    }

    private func nextTimer(_ now: Instant) -> Instant? {
        guard phase == .ready, let lastWish else { return nil }
        let times = [
            refill(now), lastFailure.map { $0 + Self.failurePause }, recent.first.map { $0 + .seconds(1) },
            lastWish + Self.placePatience,
            lastWish + Self.zygotePatience,
        ]
        return times.compactMap { $0 }.filter { $0 > now }.min()
    }
}
