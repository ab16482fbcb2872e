internal import Glibc
package import Linux

/// A program as it lies on the disk, looked at before it is shifted.
package struct ProgramFile: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// 32 or 64 bits.
        case elf(bits: Int)
        /// `#!`, with the interpreter.
        case script(String)
    }

    /// As it was named, absolute.
    package var name: String
    /// Where the links of the name lead: what is mounted over.
    package var path: String
    package var kind: Kind
    package var identity: ProgramIdentity
    package var status: FileStatus
    /// What people should know before they rely on it.
    package var remarks: [String]

    package var isScript: Bool { if case .script = kind { true } else { false } }

    /// Looks at a program. Blocks.
    ///
    /// - Throws: `ShiftProblem` that says why it cannot be shifted.
    package static func examine(_ name: String) throws(ShiftProblem) -> ProgramFile {
        do {
            let place = try Files.handle(name)
            let path = try Files.link("/proc/self/fd/\(place.raw)")
            let entry = try FileEntries.status(of: place.raw, name: name)
            guard entry.file.kind == .regular else {
                throw ShiftProblem(.unsupported, "shift \(name): it is no file, so nobody executes it")
            }
            try checkRights(entry.file, path)
            let file = try Files.open("/proc/self/fd/\(place.raw)", O_RDONLY)
            if let capabilities = try ExtendedAttributes.value("security.capability", of: file.raw, file: path),
                !capabilities.isEmpty
            {
                throw ShiftProblem(
                    .unsupported,
                    "shift \(path): it has file capabilities, which a program in its place would not get; see getcap(8)"
                )
            }
            if let record = ShimFile.record(at: "/proc/self/fd/\(place.raw)") {
                throw ShiftProblem(
                    .conflict,
                    "shift \(name): it is a shim itself, that of the shift \(record.shift) of the node at \(record.socket), and stands for "
                        + "\(record.original)")
            }
            let head = try Files.readSome(file.raw, count: 256, name: path)
            var program = ProgramFile(
                name: name, path: path, kind: try kind(head, path), identity: ProgramIdentity(entry),
                status: entry.file, remarks: [])
            program.remarks = program.remarks(links: entry.links)
            return program
        } catch let problem as ShiftProblem {
            throw problem
        } catch let error as SystemError {
            throw ShiftProblem(error.code == .noEntry ? .notFound : .system, "shift \(name): \(error)")
        } catch { throw ShiftProblem(.system, "shift \(name): \(error)") }
    }

    private static func checkRights(_ status: FileStatus, _ path: String) throws(ShiftProblem) {
        if status.permissions & 0o111 == 0 { throw ShiftProblem(.unsupported, "shift \(path): nobody may execute it") }
        for (bit, word) in [(UInt32(0o4000), "set-user-ID"), (0o2000, "set-group-ID")]
        where status.permissions & bit != 0 {
            throw ShiftProblem(
                .unsupported,
                "shift \(path): it is \(word), and whatever took its place would have to run with the rights of its owner"
            )
        }
        let name = path.split(separator: "/").last ?? ""
        if name.hasPrefix("ld-linux") || name.hasPrefix("ld-musl") || name.hasPrefix("ld.so") || name.hasPrefix("ld-2.")
        {
            throw ShiftProblem(
                .unsupported,
                "shift \(path): it is the loader of other programs, not a program that anybody means to run")
        }
    }

    private static func kind(_ head: [UInt8], _ path: String) throws(ShiftProblem) -> Kind {
        if head.starts(with: [0x7F, 0x45, 0x4C, 0x46]), head.count > 4 { return .elf(bits: head[4] == 1 ? 32 : 64) }
        if head.starts(with: "#!".utf8) {
            let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
            let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            return .script(String(decoding: words.first ?? [], as: UTF8.self))
        }
        throw ShiftProblem(
            .unsupported,
            "shift \(path): it is neither an ELF program nor a script with #!: the kernel does not execute it, only shells do"
        )
    }

    private func remarks(links: UInt64) -> [String] {
        var remarks: [String] = []
        if path != name { remarks.append("\(name) is a link: \(path) is shifted, under all names that lead to it") }
        if links > 1 {
            remarks.append("the file has \(links) names (hard links): only calls by \(path) are shifted")
        }
        if case .script(let interpreter) = kind {
            remarks.append(
                "it is a script: where the original runs, \(interpreter) gets the path at which the original is reachable"
            )
        }
        return remarks
    }
}

extension ProgramIdentity {
    package init(_ entry: EntryStatus) {
        self.init(
            device: entry.file.device, inode: entry.file.inode, size: entry.file.size,
            modified: entry.modified.seconds &* 1_000_000_000 &+ entry.modified.nanoseconds)
    }

    /// Of what a path leads to now.
    static func of(_ path: String) throws(SystemError) -> ProgramIdentity {
        let place = try Files.handle(path)
        return ProgramIdentity(try FileEntries.status(of: place.raw, name: path))
    }

    func isSameFile(as other: ProgramIdentity) -> Bool { device == other.device && inode == other.inode }
}
