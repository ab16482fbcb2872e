import TestKit
import Testing

@testable import MessageBus

/// Values and messages as bytes.
@Suite struct BusCodingTests {
    static let values: [BusValue] = [
        .byte(7), .boolean(true), .int32(-5), .uint32(.max), .int64(.min), .uint64(.max), .double(1.5), .string("é"),
        .path("/a/b"), .signature("a{sv}"), .array("s", []), .array("t", [.uint64(1), .uint64(2)]),
        .structure([.byte(1), .string("x"), .int64(3)]), .variant(.structure([.string("y"), .array("y", [.byte(9)])])),
        .array("{sv}", [.entry(.string("k"), .variant(.boolean(false)))]),
        .array("(sv)", [.structure([.string("PIDs"), .variant(.array("u", [.uint32(1)]))])]),
    ]

    @Test func `every value is read as it was written, wherever it begins`() throws {
        for value in Self.values {
            // In front of it one to nine bytes, so that every alignment is met.
            for shift in 1...9 {
                var writer = BusWriter()
                for _ in 0..<shift { writer.put(.byte(0)) }
                writer.put(value)
                var reader = BusReader(writer.bytes[...], isLittleEndian: true)
                let all = try reader.values(String(repeating: "y", count: shift) + value.signature)
                #expect(all.last == value && reader.position == writer.bytes.count, "\(value) at \(shift)")
            }
        }
    }

    /// D-Bus Specification, "Marshaling": an array of one 64 bit number at offset 0.
    @Test func `bytes are those of the specification`() {
        var writer = BusWriter()
        writer.put(.array("t", [.uint64(5)]))
        #expect(writer.bytes == [8, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0])
        var text = BusWriter()
        text.put(.string("foo"))
        #expect(text.bytes == [3, 0, 0, 0, 0x66, 0x6f, 0x6f, 0])
    }

    @Test func `a message is read as it was written`() throws {
        var call = BusMessage.call("a.b", "/c", "d.e", "F", Self.values)
        call.serial = 77
        let bytes = call.bytes
        #expect(try BusMessage.size(bytes.prefix(16)) == bytes.count)
        #expect(try BusMessage(bytes[...]) == call)
    }

    @Test func `what is no signature is refused`() {
        for text in ["a", "(", "()", "(s", "{sv", "z", "s)", String(repeating: "a", count: 70) + "s"] {
            #expect(BusSignature.types(text) == nil, "\(text)")
        }
        #expect(BusSignature.types("sa{sv}(yv)o") == ["s", "a{sv}", "(yv)", "o"])
    }

    @Test func `damaged messages are read or refused`() throws {
        var chance = SeededChance(seed: 2026)
        let whole = BusMessage.call("a.b", "/c", "d.e", "F", Self.values).bytes
        for _ in 0..<5000 {
            var bytes = whole
            for _ in 0...Int.random(in: 0..<4, using: &chance) {
                let at = Int.random(in: 0..<bytes.count, using: &chance)
                if Bool.random(using: &chance) {
                    bytes[at] = .random(in: 0...255, using: &chance)
                } else {
                    bytes.removeSubrange(at..<min(bytes.count, at + 3))
                }
            }
            do { _ = try BusMessage(bytes[...]) } catch { #expect(!error.description.isEmpty) }
        }
    }

    @Test func `an address leads to its socket`() {
        #expect(BusAddress.path("unix:path=/run/dbus/system_bus_socket,guid=1") == "/run/dbus/system_bus_socket")
        #expect(BusAddress.path("tcp:host=x;unix:path=/a%20b") == "/a b")
        for text in ["", "unix:abstract=/x", "tcp:host=x", "unix:path=/a%2"] { #expect(BusAddress.path(text) == nil) }
    }
}
