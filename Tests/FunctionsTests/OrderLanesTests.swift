import TestKit
import Testing

@testable import Functions

@Suite struct OrderLanesTests {
    let key = FunctionKey("f", "account 1")

    @Test func `calls of one key take turns in the order of their arrival`() {
        var lanes = OrderLanes(limit: 10)
        #expect(lanes.enter(CallID(1), key) == .now)
        #expect(lanes.enter(CallID(2), key) == .later)
        #expect(lanes.enter(CallID(3), key) == .later)
        #expect(lanes.enter(CallID(4), FunctionKey("f", "account 2")) == .now)
        #expect(lanes.enter(CallID(5), FunctionKey("g", "account 1")) == .now)
        #expect(lanes.leave(CallID(1), key) == CallID(2))
        #expect(lanes.leave(CallID(2), key) == CallID(3))
        #expect(lanes.leave(CallID(3), key) == nil)
    }

    @Test func `a lane is gone with its last call`() {
        var lanes = OrderLanes(limit: 10)
        for call in 1...1000 {
            let key = FunctionKey("f", "account \(call)")
            #expect(lanes.enter(CallID(UInt64(call)), key) == .now)
            #expect(lanes.leave(CallID(UInt64(call)), key) == nil)
        }
        #expect(lanes.count == 0)
    }

    @Test func `more calls of a key than may wait are refused`() {
        var lanes = OrderLanes(limit: 2)
        #expect((1...4).map { lanes.enter(CallID($0), key) } == [.now, .later, .later, .full])
        lanes.withdraw(CallID(2), key)
        #expect(lanes.enter(CallID(5), key) == .later)
        #expect(lanes.leave(CallID(1), key) == CallID(3), "who has gone has no turn")
    }

    @Test func `keys that look alike and are written otherwise are two`() {
        var lanes = OrderLanes(limit: 2)
        #expect(lanes.enter(CallID(1), FunctionKey("f", "caf\u{E9}")) == .now)
        #expect(lanes.enter(CallID(2), FunctionKey("f", "cafe\u{301}")) == .now)
    }

    @Test func `whatever comes and goes, one at a time has its turn and none is forgotten`() {
        for seed in 1...100 {
            var chance = SeededChance(seed: UInt64(seed))
            var lanes = OrderLanes(limit: 5)
            var running: [FunctionKey: CallID] = [:]
            var waiting: [FunctionKey: [CallID]] = [:]
            for number in 1...400 {
                let key = FunctionKey("f", "\(Int.random(in: 0..<4, using: &chance))")
                switch Int.random(in: 0..<5, using: &chance) {
                case 0..<3:
                    let call = CallID(UInt64(number))
                    switch lanes.enter(call, key) {
                    case .now:
                        #expect(running.updateValue(call, forKey: key) == nil, "\(chance)")
                    case .later: waiting[key, default: []].append(call)
                    case .full: #expect(waiting[key]?.count == 5, "\(chance)")
                    }
                case 3:
                    guard let call = running[key] else { continue }
                    let next = lanes.leave(call, key)
                    #expect(next == waiting[key]?.first, "\(chance)")
                    running[key] = next
                    if next != nil { waiting[key]!.removeFirst() }
                default:
                    guard let call = waiting[key]?.randomElement(using: &chance) else { continue }
                    lanes.withdraw(call, key)
                    waiting[key]!.removeAll { $0 == call }
                }
                #expect(lanes.count == running.count, "\(chance)")
            }
        }
    }
}
