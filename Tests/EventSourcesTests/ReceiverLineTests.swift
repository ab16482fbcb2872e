import Testing

@testable import EventSources

@Suite struct ReceiverLineTests {
    @Test func `news while somebody looks are looked at again`() {
        var line = ReceiverLine()
        #expect(line.handle(.waits(1)) == [])
        #expect(line.handle(.waits(2)) == [])
        #expect(line.handle(.news) == [.look(1)])
        #expect(line.handle(.news) == [.look(2)])
        #expect(line.handle(.news) == [])
        // Both looked before the last news were there.
        #expect(line.handle(.waits(1)) == [.look(1)])
        #expect(line.handle(.waits(2)) == [])
        #expect(line.handle(.found(1)) == [.look(2)])
        #expect(line.handle(.gone(2)) == [])
        #expect(line.isEmpty)
    }
}
