package import Linux

/// One entry as it is written to a tar archive, and its bytes.
///
/// Written by Forkless rather than libarchive: the digest of a layer is the digest of these bytes, and the same
/// directory has to give the same digest whatever version of a library is installed.
///
/// Invariants
/// 1. The same record gives the same bytes. (test: `a directory gives the same bytes in any order and at any time`)
/// 2. GNU tar and this project's reader read back what was written. (test: `GNU tar lists what was written as it was`)
package struct TarRecord: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case file, directory, pipe
        case symbolicLink(target: String)
        case hardLink(target: String)
        case device(block: Bool, major: UInt32, minor: UInt32)
    }

    /// Written as it is; directories get their "/".
    package var name: String
    package var kind = Kind.file
    package var mode: UInt32 = 0o644
    package var owner: UInt32 = 0
    package var group: UInt32 = 0
    package var modified = FileTime(seconds: 0)
    /// Bytes that follow, of a file.
    package var size = 0
    package var attributes: [TarEntry.Attribute] = []

    package init(name: String, kind: Kind = .file, size: Int = 0) {
        self.name = name
        self.kind = kind
        self.size = size
    }

    package static let blockSize = 512
    /// What ends an archive: two blocks of zeros (POSIX.1-2024, pax, "ustar Interchange Format").
    package static let end = [UInt8](repeating: 0, count: 2 * blockSize)

    /// Zeros that fill the last block of a file.
    package var padding: [UInt8] {
        [UInt8](repeating: 0, count: (Self.blockSize - size % Self.blockSize) % Self.blockSize)
    }

    /// The header, after one of pax where ustar's fields do not suffice.
    package var header: [UInt8] {
        let extended = paxRecords
        let base = ustar(fields, type: typeFlag)
        guard !extended.isEmpty else { return base }
        var pax = Fields()
        pax.name = "PaxHeaders.0/" + (name.split(separator: "/").last.map(String.init) ?? "")
        pax.size = extended.count
        let fill = (Self.blockSize - extended.count % Self.blockSize) % Self.blockSize
        return ustar(pax, type: UInt8(ascii: "x")) + extended + [UInt8](repeating: 0, count: fill) + base
    }

    // MARK: - pax

    private var fullName: String { kind == .directory && !name.hasSuffix("/") ? name + "/" : name }

    private var linkTarget: String {
        switch kind {
        case .symbolicLink(let target), .hardLink(let target): target
        default: ""
        }
    }

    private var typeFlag: UInt8 {
        switch kind {
        case .file: UInt8(ascii: "0")
        case .hardLink: UInt8(ascii: "1")
        case .symbolicLink: UInt8(ascii: "2")
        case .device(let block, _, _): UInt8(ascii: block ? "4" : "3")
        case .directory: UInt8(ascii: "5")
        case .pipe: UInt8(ascii: "6")
        }
    }

    /// What ustar cannot say, each as "LENGTH KEY=VALUE\n", in the order of the keys.
    private var paxRecords: [UInt8] {
        var records: [UInt8] = []
        func add(_ key: String, _ value: [UInt8]) {
            let rest = key.utf8.count + value.count + 3
            var length = rest + String(rest).utf8.count
            if String(length).utf8.count > String(rest).utf8.count { length = rest + String(length).utf8.count }
            records += Array("\(length) \(key)=".utf8) + value + [UInt8(ascii: "\n")]
        }
        for attribute in attributes.sorted(by: { $0.name < $1.name }) {
            add("SCHILY.xattr." + attribute.name, attribute.value)
        }
        if group > Self.octalMaximum(7) { add("gid", Array(String(group).utf8)) }
        if !Self.fits(linkTarget) { add("linkpath", Array(linkTarget.utf8)) }
        if modified.nanoseconds != 0 || modified.seconds < 0 || modified.seconds > Self.octalMaximum(11) {
            add("mtime", Array(Self.decimal(modified).utf8))
        }
        if !Self.fits(fullName) { add("path", Array(fullName.utf8)) }
        if size > Self.octalMaximum(11) { add("size", Array(String(size).utf8)) }
        if owner > Self.octalMaximum(7) { add("uid", Array(String(owner).utf8)) }
        return records
    }

    private static func fits(_ text: String) -> Bool { text.utf8.count <= 100 && text.utf8.allSatisfy { $0 < 0x80 } }

    private static func octalMaximum(_ digits: Int) -> Int { 1 << (3 * digits) - 1 }

    /// Seconds with a fraction; before 1970 the fraction counts from the second above.
    private static func decimal(_ time: FileTime) -> String {
        var (seconds, nanoseconds) = (time.seconds, time.nanoseconds)
        let isNegative = seconds < 0
        if isNegative, nanoseconds > 0 { (seconds, nanoseconds) = (seconds + 1, 1_000_000_000 - nanoseconds) }
        let whole = (isNegative ? "-" : "") + String(seconds.magnitude)
        if nanoseconds == 0 { return whole }
        let digits = String(nanoseconds)
        return whole + "." + String(repeating: "0", count: 9 - digits.utf8.count) + digits
    }

    // MARK: - ustar

    private struct Fields {
        var name = ""
        var target = ""
        var mode: UInt32 = 0o644
        var owner = 0
        var group = 0
        var size = 0
        var seconds = 0
        var device: (major: UInt32, minor: UInt32) = (0, 0)
    }

    private var fields: Fields {
        var fields = Fields()
        fields.name = fullName
        fields.target = linkTarget
        fields.mode = mode
        fields.owner = owner > Self.octalMaximum(7) ? 0 : Int(owner)
        fields.group = group > Self.octalMaximum(7) ? 0 : Int(group)
        fields.size = kind == .file && size <= Self.octalMaximum(11) ? size : 0
        fields.seconds = min(max(modified.seconds, 0), Self.octalMaximum(11))
        if case .device(_, let major, let minor) = kind { fields.device = (major, minor) }
        return fields
    }

    private func ustar(_ fields: Fields, type: UInt8) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: Self.blockSize)
        func put(_ bytes: some Sequence<UInt8>, at offset: Int, room: Int) {
            for (index, byte) in bytes.enumerated().prefix(room) { block[offset + index] = byte }
        }
        func putOctal(_ value: Int, at offset: Int, digits: Int) {
            let text = String(value, radix: 8)
            put((String(repeating: "0", count: max(0, digits - text.utf8.count)) + text).utf8, at: offset, room: digits)
        }
        put(fields.name.utf8, at: 0, room: 100)
        putOctal(Int(fields.mode & 0o7777), at: 100, digits: 7)
        putOctal(fields.owner, at: 108, digits: 7)
        putOctal(fields.group, at: 116, digits: 7)
        putOctal(fields.size, at: 124, digits: 11)
        putOctal(fields.seconds, at: 136, digits: 11)
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148, room: 8)
        block[156] = type
        put(fields.target.utf8, at: 157, room: 100)
        put("ustar\0".utf8, at: 257, room: 6)
        put("00".utf8, at: 263, room: 2)
        putOctal(Int(fields.device.major), at: 329, digits: 7)
        putOctal(Int(fields.device.minor), at: 337, digits: 7)
        let sum = block.reduce(0) { $0 + Int($1) }
        putOctal(sum, at: 148, digits: 6)
        block[154] = 0
        return block
    }
}
