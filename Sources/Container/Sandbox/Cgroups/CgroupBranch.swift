import Linux

/// The parent's directory in one hierarchy, and reading and writing control files below it.
///
/// Every operation is relative to one O_PATH descriptor and names "cgroup/file": no path from the root is walked,
/// and a hierarchy mounted over later changes nothing. Errors name the whole path.
struct CgroupBranch: Sendable {
    enum Version: Sendable { case v1, v2 }

    let version: Version
    let controllers: CgroupControllers
    /// The parent's directory, for sentences and for its removal.
    let path: String
    private let place: SharedFD

    init(version: Version, controllers: CgroupControllers, path: String) throws(SystemError) {
        self.version = version
        self.controllers = controllers
        self.path = path
        place = SharedFD(try Files.place(path))
    }

    /// The file by which a process of one thread joins a cgroup.
    var entryFile: String { version == .v1 ? "tasks" : "cgroup.procs" }

    func make(_ name: String) throws(SystemError) {
        try named { () throws(SystemError) in try Files.makeDirectory(name, at: place.raw) }
    }

    /// The cgroup's directory, opened O_PATH.
    func directory(_ name: String) throws(SystemError) -> OwnedFD {
        // No closure here: a descriptor has one owner and cannot pass through a generic result.
        do {
            return try Files.place(name, at: place.raw)
        } catch {
            throw Self.under(path, error)
        }
    }

    func open(_ file: String, of name: String, _ flags: CInt) throws(SystemError) -> OwnedFD {
        do {
            return try Files.open("\(name)/\(file)", flags, at: place.raw)
        } catch {
            throw Self.under(path, error)
        }
    }

    func write(_ text: String, to file: String, of name: String) throws(SystemError) {
        try named { () throws(SystemError) in try Files.writeText(text, to: "\(name)/\(file)", at: place.raw) }
    }

    /// The bytes of a control file; nil where the kernel has no such file.
    func bytes(_ file: String, of name: String) throws(SystemError) -> [UInt8]? {
        do {
            return try Files.readControl("\(name)/\(file)", at: place.raw)
        } catch where error.code == .noEntry {
            return nil
        } catch {
            throw Self.under(path, error)
        }
    }

    /// The number in a control file; nil where there is no such file.
    func number(_ file: String, of name: String) throws(SystemError) -> Int? {
        guard let bytes = try bytes(file, of: name) else { return nil }
        return ControlText.number(bytes[...])
    }

    /// Every process directly in the cgroup, without those that are in a pid namespace we cannot see (listed as 0).
    func processes(_ name: String) throws(SystemError) -> [Int32] {
        let fd = try open("cgroup.procs", of: name, CgroupBranch.readOnly)
        let all = try named { () throws(SystemError) in
            try Files.readAll(fd.raw, limit: 64 << 20, name: "\(name)/cgroup.procs")
        }
        return all.split(separator: UInt8(ascii: "\n")).compactMap { line in
            ControlText.number(line).flatMap { $0 > 0 ? Int32($0) : nil }
        }
    }

    /// The cgroups inside a cgroup, or those of the parent for ".".
    func children(_ name: String) throws(SystemError) -> [String] {
        try named { () throws(SystemError) in try Files.subdirectories(name, at: place.raw) }
    }

    /// Whether the cgroup is there.
    func contains(_ name: String) throws(SystemError) -> Bool {
        do {
            return try Files.status(name, at: place.raw, followLinks: false).kind == .directory
        } catch where error.code == .noEntry {
            return false
        } catch {
            throw Self.under(path, error)
        }
    }

    /// Removes the cgroup and, if a program made some inside, those first. One that is gone is no error.
    func remove(_ name: String) throws(SystemError) {
        try named { () throws(SystemError) in try Self.remove(name, at: place.raw) }
    }

    private static func remove(_ name: String, at directory: CInt) throws(SystemError) {
        do {
            try Files.removeDirectory(name, at: directory)
        } catch where error.code == .noEntry {
            return
        } catch where error.code == .busy || error.code == .notEmpty {
            let inner = try Files.subdirectories(name, at: directory)
            if inner.isEmpty { throw error }
            let place = try Files.place(name, at: directory)
            for child in inner { try remove(child, at: place.raw) }
            try Files.removeDirectory(name, at: directory)
        }
    }

    private func named<Result>(_ body: () throws(SystemError) -> Result) throws(SystemError) -> Result {
        do {
            return try body()
        } catch {
            throw Self.under(path, error)
        }
    }

    /// The error with the whole path as its subject.
    static func under(_ path: String, _ error: SystemError) -> SystemError {
        var error = error
        error.subject = "\(path)/\(error.subject)"
        return error
    }

    // open(2); this target imports no C module for two numbers that never change.
    static let readOnly: CInt = 0
    static let writeOnly: CInt = 1
}

/// The two forms in which control files give numbers: alone, or as "key value" lines.
enum ControlText {
    /// A decimal number with white space around it; nil when it is none ("max").
    static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        var value = 0
        var digits = 0
        for byte in bytes {
            if (0x30...0x39).contains(byte) {
                let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
                let (sum, carry) = scaled.addingReportingOverflow(Int(byte - 0x30))
                // v1 writes a limit of "none" as a number near 2^63.
                if overflow || carry { return Int.max }
                value = sum
                digits += 1
            } else if byte != 0x20, byte != 0x0a {
                return nil
            }
        }
        return digits > 0 ? value : nil
    }

    /// The value of the line that starts with `key` and a space.
    static func value(of key: StaticString, in bytes: [UInt8]) -> Int? {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let matches = key.withUTF8Buffer { key in
                line.count > key.count && line.starts(with: key) && line[line.startIndex + key.count] == 0x20
            }
            if matches { return number(line.dropFirst(key.utf8CodeUnitCount + 1)) }
        }
        return nil
    }
}
