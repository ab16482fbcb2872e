import Testing

@testable import Daemon

@Suite struct MemoryReturnTests {
    private let mega = 1 << 20

    private func looks(_ state: inout MemoryReturn, _ idle: Int...) -> [Bool] { idle.map { state.look(idle: $0 * mega) } }

    @Test func `memory goes back when a burst is over`() {
        var state = MemoryReturn()
        let during = looks(&state, 10, 100, 300, 250, 251)
        #expect(during == [false, false, false, false, true])
        state.gaveBack(idle: 20 * mega)
        let after = looks(&state, 21, 21, 22, 21, 90, 90)
        #expect(after == [false, false, false, false, false, true])
    }

    @Test func `what stays is not tried again`() {
        var state = MemoryReturn()
        let before = looks(&state, 200, 200)
        #expect(before == [false, true])
        state.gaveBack(idle: 190 * mega)
        let after = looks(&state, 191, 192, 193, 193)
        #expect(!after.contains(true))
    }

    @Test func `little is not worth the work`() {
        var state = MemoryReturn()
        let all = looks(&state, 15, 15, 15)
        #expect(!all.contains(true))
    }
}
