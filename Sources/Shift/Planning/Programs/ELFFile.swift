/// What the head of an ELF file says: for which machine it is, what loads it, what it needs (elf(5)).
///
/// Read by Forkless rather than by running the loader (ldd), which would execute the program.
///
/// Invariant: no bytes whatever make reading trap or read outside of them.
/// (test: `an ELF file cut off or changed anywhere is an error or is read, and never a trap`)
package struct ELFFile: Hashable, Sendable {
    package enum Class: String, Sendable {
        case bits32 = "32-bit"
        case bits64 = "64-bit"
    }

    package var fileClass: Class
    /// "x86_64", "aarch64", "i386"; "machine 40" for what has no name here.
    package var machine: String
    /// The program interpreter, which loads it; nil of a static program.
    package var interpreter: String?
    /// DT_NEEDED, in order.
    package var needed: [String] = []
    /// DT_RPATH and DT_RUNPATH, split at ":".
    package var rpath: [String] = []
    package var runpath: [String] = []
    package var isDynamic = false

    /// The first bytes of every ELF file.
    package static let magic: [UInt8] = [0x7F, 0x45, 0x4C, 0x46]
    /// Entries that are looked at: more than any linker writes.
    private static let entriesLimit = 4096

    package var isStatic: Bool { interpreter == nil && needed.isEmpty }

    /// Reads the whole file.
    package init(_ bytes: [UInt8]) throws(ELFProblem) {
        guard bytes.starts(with: Self.magic) else { throw ELFProblem("it is no ELF file") }
        guard bytes.count >= 52 else { throw ELFProblem("it ends in its ELF header") }
        guard bytes[5] == 1 else { throw ELFProblem("it is big-endian, which is not supported") }
        switch bytes[4] {
        case 1: fileClass = .bits32
        case 2: fileClass = .bits64
        default: throw ELFProblem("its class is \(bytes[4]), neither 32-bit nor 64-bit")
        }
        let reader = Reader(bytes: bytes, isWide: fileClass == .bits64)
        machine = Self.name(ofMachine: Int(try reader.number(18, 2)))
        let segments = try reader.segments()
        if let place = segments.first(where: { $0.type == Segment.interpreter }) {
            interpreter = try reader.string(at: place.offset, limit: place.fileSize)
        }
        if let place = segments.first(where: { $0.type == Segment.dynamic }) {
            isDynamic = true
            try readDynamic(place, segments, reader)
        }
    }

    private mutating func readDynamic(
        _ place: Segment, _ segments: [Segment], _ reader: Reader
    ) throws(ELFProblem) {
        let width = reader.isWide ? 8 : 4
        var strings: Int?
        var names: [(tag: Int, offset: Int)] = []
        for index in 0..<min(place.fileSize / (2 * width), Self.entriesLimit) {
            let at = place.offset + index * 2 * width
            let (tag, value) = (try reader.number(at, width), try reader.number(at + width, width))
            switch tag {
            case 0: break
            case 5: strings = try Segment.offset(of: value, in: segments)
            case 1, 15, 29: names.append((tag, value))
            default: continue
            }
            if tag == 0 { break }
        }
        guard !names.isEmpty else { return }
        guard let strings else { throw ELFProblem("its dynamic section has no string table") }
        for (tag, offset) in names {
            guard offset < reader.bytes.count else { throw ELFProblem("a name lies outside of the file") }
            let text = try reader.string(at: strings + offset, limit: 4096)
            switch tag {
            case 1: needed.append(text)
            case 15: rpath += text.split(separator: ":").map(String.init)
            default: runpath += text.split(separator: ":").map(String.init)
            }
        }
    }

    private static func name(ofMachine number: Int) -> String {
        switch number {
        case 3: "i386"
        case 40: "arm"
        case 62: "x86_64"
        case 183: "aarch64"
        case 243: "riscv64"
        default: "machine \(number)"
        }
    }
}

/// Why a file is not understood as ELF.
package struct ELFProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
    init(_ description: String) { self.description = description }
}

private struct Segment {
    static let dynamic = 2
    static let interpreter = 3
    static let load = 1

    var type: Int
    var offset: Int
    var address: Int
    var fileSize: Int

    /// Where in the file something is that the program will find at an address.
    static func offset(of address: Int, in segments: [Segment]) throws(ELFProblem) -> Int {
        for segment in segments where segment.type == load && address >= segment.address {
            if address - segment.address < segment.fileSize { return segment.offset + address - segment.address }
        }
        throw ELFProblem("its string table is not in the file")
    }
}

private struct Reader {
    let bytes: [UInt8]
    let isWide: Bool

    /// A little-endian number; what no offset can be is an error.
    func number(_ at: Int, _ width: Int) throws(ELFProblem) -> Int {
        guard at >= 0, at <= bytes.count - width else { throw ELFProblem("it is cut off") }
        var value: UInt64 = 0
        for index in (0..<width).reversed() { value = value << 8 | UInt64(bytes[at + index]) }
        // Tags of the dynamic section use all bits; no offset does.
        return Int(truncatingIfNeeded: value & UInt64(Int.max))
    }

    func string(at offset: Int, limit: Int) throws(ELFProblem) -> String {
        guard offset >= 0, offset < bytes.count else { throw ELFProblem("a name lies outside of the file") }
        let end = min(bytes.count, offset + min(max(limit, 0), 4096))
        let text = bytes[offset..<end].prefix { $0 != 0 }
        guard let result = String(validating: text, as: UTF8.self) else { throw ELFProblem("a name is not UTF-8") }
        return result
    }

    func segments() throws(ELFProblem) -> [Segment] {
        let table = try number(isWide ? 32 : 28, isWide ? 8 : 4)
        let (size, count) = (try number(isWide ? 54 : 42, 2), try number(isWide ? 56 : 44, 2))
        guard size >= (isWide ? 56 : 32) || count == 0 else { throw ELFProblem("its program headers are too short") }
        guard table <= bytes.count else { throw ELFProblem("it is cut off") }
        var segments: [Segment] = []
        for index in 0..<count {
            let at = table + index * size
            let (offset, address, fileSize) = isWide ? (8, 16, 32) : (4, 8, 16)
            let width = isWide ? 8 : 4
            let segment = Segment(
                type: try number(at, 4), offset: try number(at + offset, width),
                address: try number(at + address, width), fileSize: try number(at + fileSize, width))
            guard segment.offset <= bytes.count, segment.fileSize <= bytes.count || segment.type == 1 else {
                throw ELFProblem("a segment lies outside of the file")
            }
            segments.append(segment)
        }
        return segments
    }
}
