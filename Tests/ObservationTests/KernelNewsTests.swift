import TestKit
import Testing

@testable import Linux

@Suite struct KernelNewsTests {
    /// struct cn_msg and struct proc_event, as the kernel sends them.
    private func event(_ what: UInt32, _ fields: [UInt32], at time: UInt64 = 7) -> [UInt8] {
        var writer = NetlinkWriter()
        for number in [1, 1, 0, 0] as [UInt32] { writer.append(number) }
        writer.append(UInt16(40))
        writer.append(UInt16(0))
        writer.append(what)
        writer.append(UInt32(0))
        writer.append(time)
        for field in fields + Array(repeating: 0, count: 6 - fields.count) { writer.append(field) }
        return writer.bytes
    }

    @Test func `events are taken apart`() {
        #expect(ProcessEvent.decode(event(1, [10, 10, 20, 20])) == .event(.forked(at: 7, parent: 10, child: 20)))
        // A thread's fork has a child of the parent's own group.
        #expect(ProcessEvent.decode(event(1, [10, 10, 21, 10])) == .other)
        #expect(ProcessEvent.decode(event(2, [20, 20])) == .event(.executed(at: 7, pid: 20)))
        #expect(
            ProcessEvent.decode(event(0x8000_0000, [20, 20, 0x0300, 17]))
                == .event(.exited(at: 7, pid: 20, status: .exited(3))))
        #expect(
            ProcessEvent.decode(event(0x8000_0000, [20, 20, 0x8b, 17]))
                == .event(.exited(at: 7, pid: 20, status: .signaled(11, coreDumped: true))))
        #expect(ProcessEvent.decode(event(0x8000_0000, [21, 20, 0, 17])) == .other)
        #expect(ProcessEvent.decode(event(0x200, [20, 20])) == .other)
        #expect(ProcessEvent.decode(event(0, [])) == .other)
    }

    @Test func `no bytes make the readers trap`() {
        var chance = SeededChance(seed: 4)
        for _ in 0..<5000 {
            var bytes = event(UInt32.random(in: 0...3, using: &chance), [1, 1, 2, 2])
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &chance))
            _ = ProcessEvent.decode(bytes)
            let noise = (0..<Int.random(in: 0..<800, using: &chance)).map { _ in UInt8.random(in: 0...8, using: &chance)
            }
            _ = TaskRecord(message: noise)
        }
    }

    @Test func `a record of a task is taken apart`() throws {
        // struct taskstats of version 13, with the fields that count at their places (linux/taskstats.h).
        var statistics = [UInt8](repeating: 0, count: 416)
        func put<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
            withUnsafeBytes(of: number) { for (index, byte) in $0.enumerated() { statistics[offset + index] = byte } }
        }
        put(UInt16(13), at: 0)
        put(UInt8(0x20), at: 8)
        put(UInt64(1_500_000), at: 72)
        for (index, letter) in "true".utf8.enumerated() { statistics[80 + index] = letter }
        put(UInt32(33), at: 120)
        put(UInt32(34), at: 124)
        put(UInt32(77), at: 128)
        put(UInt64(2048), at: 200)
        put(UInt64(4096), at: 248)
        put(UInt32(76), at: 368)
        put(UInt64(0xfe01), at: 384)
        put(UInt64(123_456), at: 392)
        var inner = NetlinkWriter()
        inner.attribute(1, 77)
        inner.attribute(3, statistics)
        var outer = NetlinkWriter()
        outer.bytes = [2, 1, 0, 0]
        outer.attribute(4, inner.bytes)
        let record = try #require(TaskRecord(message: outer.bytes))
        #expect(record.thread == 77)
        #expect(record.process == 76)
        #expect(record.isLast)
        #expect(record.name == Array("true".utf8))
        #expect(record.uid == 33 && record.gid == 34)
        #expect(record.cpuNanoseconds == 1_500_000)
        #expect(record.peakResidentBytes == 2 << 20)
        #expect(record.readBytes == 4096)
        #expect(record.executable == TaskRecord.File(major: 0xfe, minor: 1, inode: 123_456))
    }
}
