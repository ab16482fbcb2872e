/// Makes a traced call of a call's text. What a relative path or a bare descriptor means is the process's affair.
struct StraceCalls {
    /// The working directory; nil: not known, and relative paths stay so.
    var directory: String?
    /// What is behind descriptors, as far as earlier calls tell.
    var files: [Int: String] = [:]

    func call(_ name: String, _ arguments: [Substring], result: Int) -> TracedCall {
        var parsed: [TracedCall.Argument] = []
        var base = directory
        for (kind, text) in zip(CallShape.of(name), arguments) {
            let argument = self.argument(kind, text, base: base)
            if case .directory = kind, case .descriptor(let number, let path) = argument {
                base = number == -100 ? path ?? directory : path
            }
            if case .pathFromThere = kind { base = directory }
            parsed.append(argument)
        }
        return TracedCall(name, parsed, result: result)
    }

    private func argument(_ kind: CallShape.Kind, _ text: Substring, base: String?) -> TracedCall.Argument {
        switch kind {
        case .path, .pathFromThere:
            guard let (path, isCut) = StraceArguments.string(text), !isCut else { return .text(String(text)) }
            return .path(absolute(path, base))
        case .directory, .descriptor:
            guard let (number, path) = StraceArguments.descriptor(text) else { return .text(String(text)) }
            return .descriptor(number, path ?? (number == -100 ? directory : files[number]))
        case .number: return Self.number(text)
        case .how:
            guard let at = text.firstRange(of: "flags=") else { return .text(String(text)) }
            return Self.number(text[at.upperBound...].prefix { $0 != "," && $0 != "}" })
        case .address: return Self.address(text).map { .address($0) } ?? .text(String(text))
        case .text: return StraceArguments.string(text).map { .path($0.text) } ?? .text(String(text))
        case .skipped: return .text("")
        }
    }

    private func absolute(_ path: String, _ base: String?) -> String {
        if path.isEmpty || path.hasPrefix("/") { return path.isEmpty ? "" : Paths.absolute(path, in: "/") }
        guard let base, base.hasPrefix("/") else { return path }
        return Paths.absolute(path, in: base)
    }

    /// "3", "0x1f", "O_RDWR|O_CREAT", "TCGETS".
    static func number(_ text: Substring) -> TracedCall.Argument {
        let plain = text.prefix { $0 != " " && $0 != "<" }
        if let number = Int(plain) { return .number(number) }
        if plain.hasPrefix("0x"), let number = UInt64(plain.dropFirst(2), radix: 16) {
            return .number(Int(truncatingIfNeeded: number))
        }
        return .words(plain.split(separator: "|").map(String.init))
    }

    /// {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")} and its like.
    static func address(_ text: Substring) -> SocketAddress? {
        guard let family = text.firstRange(of: "sa_family=") else { return nil }
        let word = text[family.upperBound...].prefix { $0 != "," && $0 != "}" }
        let port = text.firstRange(of: "htons(").map { text[$0.upperBound...].prefix { $0.isNumber } }
        let quoted: (text: String, isCut: Bool)? = text.firstIndex(of: "\"").flatMap {
            StraceArguments.string(text[$0...])
        }
        let name = SocketFamily.name(String(word))
        switch name {
        case "unix":
            let isAbstract = text.firstRange(of: "sun_path=@") != nil
            return SocketAddress(family: name, text: (isAbstract ? "@" : "") + (quoted?.text ?? ""))
        case "inet": return SocketAddress(family: name, text: "\(quoted?.text ?? "?"):\(port ?? "?")")
        case "inet6":
            // inet_pton(AF_INET6, "::1", &sin6_addr)
            return SocketAddress(family: name, text: "[\(quoted?.text ?? "?")]:\(port ?? "?")")
        default: return SocketAddress(family: name, text: "")
        }
    }

    /// What the call changes about descriptors and the working directory.
    mutating func note(_ name: String, _ arguments: [Substring], _ call: TracedCall, resultPath: String?) {
        guard call.succeeded else { return }
        switch name {
        case "open", "creat": files[call.result] = resultPath ?? call.path(0)
        case "openat", "openat2": files[call.result] = resultPath ?? call.path(1)
        case "close":
            if let number = arguments.first.flatMap({ StraceArguments.descriptor($0)?.number }) { files[number] = nil }
        case "dup", "dup2", "dup3", "fcntl":
            guard name != "fcntl" || arguments.dropFirst().first?.hasPrefix("F_DUPFD") == true else { return }
            if let number = arguments.first.flatMap({ StraceArguments.descriptor($0)?.number }) {
                files[call.result] = resultPath ?? files[number]
            }
        case "socket", "accept", "accept4": files[call.result] = nil
        case "chdir":
            guard let first = arguments.first, let (path, isCut) = StraceArguments.string(first), !isCut else { return }
            directory = path.hasPrefix("/") || directory != nil ? absolute(path, directory) : nil
        case "fchdir":
            if let (number, path) = arguments.first.flatMap(StraceArguments.descriptor) {
                directory = path ?? files[number]
            }
        default: break
        }
    }
}
