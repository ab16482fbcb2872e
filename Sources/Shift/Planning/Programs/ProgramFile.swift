import Linux

/// What the file of a program is, on the machine where the plan is made.
package enum ProgramFile: Hashable, Sendable {
    /// It was not looked at, and why: the recording is another machine's, or the path was not seen.
    case notLookedAt(String)
    /// There is no such file any more, or it cannot be read.
    case gone(String)
    case found(Facts)

    package struct Facts: Hashable, Sendable {
        package var form: Form
        package var isSetuid = false
        package var isSetgid = false
        /// It has capabilities of its own (security.capability).
        package var hasCapabilities = false
        package var size = 0
    }

    package enum Form: Hashable, Sendable {
        case elf(ELFFile)
        /// Of a `#!` line: the interpreter and the one argument that it may have.
        case script(interpreter: String, argument: String?)
        case other(String)
    }

    package var facts: Facts? { if case .found(let facts) = self { facts } else { nil } }
}

extension ProgramFile {
    /// More than the largest program; its head and its tables are all that is read of it.
    private static let bytesLimit = 1 << 30
    /// BINPRM_BUF_SIZE: so much of a first line the kernel looks at (execve(2)).
    private static let scriptLineBytes = 256

    /// Looks at a file. Blocks.
    package static func look(at path: String) -> ProgramFile {
        do {
            let fd = try Files.open(path, 0)
            let status = try FileEntries.status(of: fd.raw, name: path)
            guard status.file.kind == .regular else { return .gone("it is no regular file") }
            let bytes = try Files.readAll(fd.raw, limit: bytesLimit, name: path)
            var facts = Facts(form: form(bytes), size: status.file.size)
            facts.isSetuid = status.file.permissions & 0o4000 != 0
            facts.isSetgid = status.file.permissions & 0o2000 != 0
            facts.hasCapabilities = try ExtendedAttributes.value("security.capability", of: fd.raw, file: path) != nil
            return .found(facts)
        } catch { return .gone("\(error)") }
    }

    package static func form(_ bytes: [UInt8]) -> Form {
        if bytes.starts(with: ELFFile.magic) {
            do throws(ELFProblem) { return .elf(try ELFFile(bytes)) } catch {
                return .other("a damaged program: \(error)")
            }
        }
        guard bytes.starts(with: "#!".utf8) else { return .other("neither an ELF program nor a script with #!") }
        let line = bytes.prefix(scriptLineBytes).dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
        let text = String(decoding: line, as: UTF8.self).drop { $0 == " " || $0 == "\t" }
        let interpreter = text.prefix { $0 != " " && $0 != "\t" }
        guard interpreter.hasPrefix("/") else { return .other("a script whose #! line names no program by its path") }
        var argument = text.dropFirst(interpreter.count).drop { $0 == " " || $0 == "\t" }
        while let last = argument.last, last == " " || last == "\t" || last == "\r" { argument.removeLast() }
        return .script(interpreter: String(interpreter), argument: argument.isEmpty ? nil : String(argument))
    }
}
