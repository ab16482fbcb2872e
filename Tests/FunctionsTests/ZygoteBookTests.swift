import Linux
import TestKit
import Testing

@testable import Functions

/// What a zygote does next.
@Suite struct ZygoteBookTests {
    private struct Play {
        var book = ZygoteBook()
        var now = Instant(nanoseconds: 0)

        mutating func callAsFunction(_ event: ZygoteEvent, after pause: Duration = .zero) -> [ZygoteAction] {
            now = now + pause
            return book.handle(event, now: now).filter { if case .setTimer = $0 { false } else { true } }
        }

        /// A zygote, and a first instance beside it.
        mutating func start(isReady: Bool = true) {
            _ = self(.wanted(ZygoteWish(number: 0)))
            if isReady { _ = self(.ready) }
        }
    }

    private let first = ZygoteWish(number: 1)
    private let second = ZygoteWish(number: 2)
    private func place(_ number: Int) -> ZygotePlaceID { ZygotePlaceID(number: number) }

    @Test func `the first instance starts cold, beside the zygote`() {
        var play = Play()
        #expect(play(.wanted(first)) == [.startCold(first), .startZygote])
        #expect(play(.wanted(second), after: ZygoteBook.headStart) == [.startCold(second)])
        // A cold start that begins later would be over later than the zygote's.
        #expect(play(.wanted(first), after: .milliseconds(1)) == [])
        #expect(play(.ended("exited")).contains(.startCold(first)))
    }

    @Test func `a place that ends before it is ready is a failed fork`() {
        var play = Play()
        play.start()
        for number in 1...3 {
            _ = play(.placeFailed(place(number), "its first process ended: exit status 127"))
            _ = play(.timer, after: ZygoteBook.failurePause)
        }
        #expect(play.book.unfitReason?.contains("exit status 127") == true)
    }

    @Test func `those that come while the zygote starts wait for it`() {
        var play = Play()
        play.start(isReady: false)
        #expect(play(.wanted(first), after: .milliseconds(1100)) == [])
        #expect(play(.wanted(second)) == [])
        #expect(play(.ready) == [1, 2, 3, 4].map { .makePlace(place($0)) })
        #expect(play(.placeReady(place(2))) == [.give(place(2), to: first)])
        #expect(play(.placeReady(place(1))) == [.give(place(1), to: second)])
        // The others wait for those that come next.
        #expect(play(.placeReady(place(3))) == [])
        #expect(play(.placeReady(place(4))) == [])
        #expect(play.book.waitingCount == 2)
        #expect(play(.wanted(ZygoteWish(number: 3))).first == .give(place(3), to: ZygoteWish(number: 3)))
    }

    @Test func `the next place is made once the first call has had its time`() {
        var play = Play()
        play.start()
        _ = play(.placeReady(place(1)))
        #expect(play(.wanted(first), after: .seconds(5)) == [.give(place(1), to: first)])
        #expect(play(.timer, after: .milliseconds(9)) == [])
        #expect(play(.timer, after: .milliseconds(1)) == [.makePlace(place(2))])
        // Whoever waits does not wait for that.
        _ = play(.placeReady(place(2)))
        #expect(play(.wanted(first)) == [.give(place(2), to: first)])
        #expect(play(.wanted(second)).contains(.makePlace(place(3))))
    }

    @Test func `a function that cannot be forked is started another way from then on`() {
        var play = Play()
        play.start(isReady: false)
        _ = play(.wanted(first), after: .milliseconds(500))
        let said = play(.unfit("2 threads run"))
        #expect(said.contains(.startCold(first)) && said.contains(.endZygote))
        #expect(said.contains { if case .say(let text) = $0 { text.contains("2 threads run") } else { false } })
        #expect(play(.ended("exited")) == [])
        #expect(play(.wanted(second), after: .seconds(3600)) == [.startCold(second)])
        #expect(play.book.isOver)
    }

    @Test func `a zygote that dies comes back after growing pauses`() {
        var play = Play()
        play.start(isReady: false)
        _ = play(.wanted(first), after: .milliseconds(500))
        #expect(play(.ended("exited")).contains(.startCold(first)))
        #expect(play(.wanted(second), after: .milliseconds(900)) == [.startCold(second)])
        #expect(play(.wanted(first), after: .milliseconds(200)) == [.startCold(first), .startZygote])
        _ = play(.ended("exited"))
        #expect(play(.wanted(first), after: .milliseconds(1900)) == [.startCold(first)])
        #expect(play(.wanted(first), after: .milliseconds(200)) == [.startCold(first), .startZygote])
    }

    @Test func `a zygote's end is no failure of its forks`() {
        var play = Play()
        play.start()
        _ = play(.placeReady(place(1)))
        // Places end first.
        #expect(play(.placeEnded(place(1))) == [])
        _ = play(.ended("killed"), after: .milliseconds(5))
        #expect(play.book.unfitReason == nil)
        #expect(play(.wanted(first), after: .seconds(2)) == [.startCold(first), .startZygote])
    }

    @Test func `an unused zygote goes`() {
        var play = Play()
        play.start(isReady: false)
        _ = play(.wanted(first), after: .milliseconds(1100))
        _ = play(.ready)
        #expect(play(.placeReady(place(1))) == [.give(place(1), to: first)])
        _ = play(.placeReady(place(2)))
        #expect(play(.timer, after: ZygoteBook.placePatience) == [.endPlace(place(2))])
        #expect(play(.placeEnded(place(2))) == [])
        // An instance lives.
        #expect(play(.timer, after: ZygoteBook.zygotePatience) == [])
        #expect(play(.placeEnded(place(1))) == [.endZygote])
        #expect(play(.ended("killed")) == [])
        #expect(play.book.isOver)
    }

    @Test func `a forgotten zygote goes with its last instance`() {
        var play = Play()
        play.start(isReady: false)
        _ = play(.wanted(first), after: .milliseconds(1100))
        _ = play(.ready)
        _ = play(.placeReady(place(1)))
        _ = play(.placeReady(place(2)))
        #expect(play(.forgotten) == [.endPlace(place(2))])
        #expect(play(.wanted(second)) == [.startCold(second)])
        #expect(play(.placeEnded(place(2))) == [])
        #expect(play(.placeEnded(place(1))) == [.endZygote])
    }

    @Test func `forks that fail are not tried for ever`() {
        var play = Play()
        play.start(isReady: false)
        _ = play(.wanted(first), after: .milliseconds(1100))
        _ = play(.ready)
        // Another is on its way.
        #expect(!play(.placeFailed(place(1), "no")).contains(.startCold(first)))
        #expect(play(.placeFailed(place(2), "no")).contains(.startCold(first)))
        #expect(play(.wanted(second)) == [.startCold(second)])
        #expect(play(.timer, after: ZygoteBook.failurePause) == [.makePlace(place(3)), .makePlace(place(4))])
        #expect(!play(.placeFailed(place(4), "no")).contains(.endZygote))
        _ = play(.placeFailed(place(3), "no"))
        _ = play(.timer, after: ZygoteBook.failurePause)
        let last = play(.placeFailed(place(5), "no"))
        #expect(last.contains(.say("Instances are started without a zygote, since forks of it fail")))
        #expect(play(.placeFailed(place(6), "no")).contains(.endZygote))
        #expect(play(.wanted(second)) == [.startCold(second)])
    }

    @Test func `forks that fail together, before their zygote's end is told, are no fault of forks`() {
        var play = Play()
        play.start(isReady: false)
        _ = play(.wanted(first), after: .milliseconds(1100))
        for number in 2...4 { _ = play(.wanted(ZygoteWish(number: number))) }
        #expect(play(.ready) == [1, 2, 3, 4].map { .makePlace(place($0)) })
        for number in 1...4 { _ = play(.placeFailed(place(number), "it has gone without a word"), after: .milliseconds(2)) }
        _ = play(.ended("exit status 1"))
        #expect(play.book.unfitReason == nil)
        #expect(play(.wanted(second), after: ZygoteBook.firstPause).contains(.startZygote))
    }

    /// Random lives: whatever comes in whatever order, wishes are answered once, places given once, zygotes single.
    @Test(arguments: 0..<300)
    func `whatever happens everybody is answered once`(seed: UInt64) throws {
        var chance = SeededChance(seed: seed)
        var book = ZygoteBook()
        var now = Instant(nanoseconds: 0)
        var (zygotes, isReady, wishes, making, waiting, taken) = (0, false, Set<ZygoteWish>(), Set<ZygotePlaceID>(), Set<ZygotePlaceID>(), Set<ZygotePlaceID>())
        var lastWish = 0
        func send(_ event: ZygoteEvent) throws {
            now = now + .milliseconds(Int.random(in: 0...3000, using: &chance))
            for action in book.handle(event, now: now) {
                switch action {
                case .startZygote:
                    zygotes += 1
                    isReady = false
                    try #require(zygotes == 1)
                case .makePlace(let place): try #require(making.insert(place).inserted && isReady)
                case .give(let place, let wish):
                    try #require(wishes.remove(wish) != nil && waiting.remove(place) != nil)
                    taken.insert(place)
                case .startCold(let wish): try #require(wishes.remove(wish) != nil)
                case .endPlace(let place): try #require(waiting.contains(place))
                case .endZygote, .say: break
                case .setTimer(let time): try #require(time > now)
                }
            }
        }
        func someEvent() -> ZygoteEvent {
            var choices: [ZygoteEvent] = [.timer]
            lastWish += 1
            if wishes.count < 20 { choices += Array(repeating: .wanted(ZygoteWish(number: lastWish)), count: 4) }
            if zygotes > 0, !isReady { choices += [.ready, .ready, .unfit("chance")] }
            if zygotes > 0 { choices.append(.ended("chance")) }
            if let place = making.randomElement(using: &chance) {
                choices += [.placeReady(place), .placeReady(place), .placeReady(place), .placeFailed(place, "chance")]
            }
            if let place = waiting.randomElement(using: &chance) { choices.append(.placeEnded(place)) }
            if let place = taken.randomElement(using: &chance) { choices += [.placeEnded(place), .placeEnded(place)] }
            return choices.randomElement(using: &chance)!
        }
        for _ in 0..<200 {
            let event = someEvent()
            switch event {
            case .wanted(let wish): wishes.insert(wish)
            case .ready: isReady = true
            case .ended:
                zygotes -= 1
                isReady = false
            case .placeReady(let place):
                making.remove(place)
                waiting.insert(place)
            case .placeFailed(let place, _): making.remove(place)
            case .placeEnded(let place):
                waiting.remove(place)
                taken.remove(place)
            default: break
            }
            try send(event)
        }
        // All that is under way comes to an end, and the function is forgotten.
        try send(.forgotten)
        for place in making { try send(.placeFailed(place, "the end")) }
        for place in waiting.union(taken) { try send(.placeEnded(place)) }
        if zygotes > 0 {
            zygotes = 0
            try send(.ended("the end"))
        }
        #expect(wishes.isEmpty, "\(wishes)")
        now = now + .seconds(600)
        try send(.timer)
    }

    @Test func `words of a zygote are read, and nothing else`() {
        func word(_ text: String) -> ZygoteWord { ZygoteWord(Array(text.utf8)) }
        #expect(word("ready") == .ready)
        #expect(word("unfit\0a socket is open") == .unfit("a socket is open"))
        #expect(word("failed\0ImportError\0no module") == .failed("ImportError", "no module"))
        #expect(word("ended\07\0256") == .ended(place: "7", .status(.exited(1))))
        #expect(word("ended\07\09") == .ended(place: "7", .status(.signaled(9, coreDumped: false))))
        #expect(word("ended\07\0139") == .ended(place: "7", .status(.signaled(11, coreDumped: true))))
        #expect(word("ended\07\0fork\0no memory") == .ended(place: "7", .notForked("no memory")))
        for strange in ["", "ready\0", "ended", "ended\07", "ended\07\0x", "ended\07\0127", "ended\07\0-1", "\0", "nonsense"] {
            guard case .unknown = word(strange) else {
                Issue.record("\(strange.debugDescription) was taken for a word")
                continue
            }
        }
        #expect(ZygoteChildWord(Array("parked".utf8)) == .parked)
        #expect(ZygoteChildWord([]) == .gone)
        #expect(ZygoteChildWord(Array("failed\0enter the sandbox: no".utf8)) == .failed("enter the sandbox: no"))
    }
}
