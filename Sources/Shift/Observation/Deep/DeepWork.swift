import Glibc
import Linux
import Sandbox

/// The part of the tracer's thread that looks at system calls: what a tracee stands at is read from its memory and from
/// /proc, and `CallDeeds` says what it means.
struct DeepWork {
    /// A path is no longer, path_resolution(7).
    private static let pathLimit = 4096
    /// struct sockaddr_storage, unix(7) and ip(7).
    private static let addressLimit = 128

    private let calls = SystemCalls.of(.native)
    private var collector: DeepCollector
    /// The call that each thread is in.
    private var pending: [Int32: TracedCall] = [:]
    /// Programs whose calls the filter does not know.
    private(set) var foreign = 0

    init(keepsValues: Bool) { collector = DeepCollector(keepsValues: keepsValues) }

    mutating func forked(_ child: Int32, from parent: Int32) { collector.forked(child, from: parent) }

    mutating func take(_ process: Int32) -> DeepFacts? { collector.take(process) }

    /// A thread stands at the beginning of a call, or at its end.
    ///
    /// - Returns: whether it is to stop at the end of the call.
    mutating func called(_ thread: Int32, _ process: Int32, isEntry: Bool) -> Bool {
        guard let info = Tracing.callInfo(of: thread) else { return false }
        switch info.place {
        case .entry(let number, let arguments):
            // At the end of a call that was not noted: it was a stop without a filter.
            guard isEntry, let name = calls.name(of: UInt32(truncatingIfNeeded: number)) else { return false }
            pending[thread] = read(name, arguments, thread)
            return true
        case .exit(let result):
            guard var call = pending.removeValue(forKey: thread) else { return false }
            call.result = result
            collector.add(CallDeeds.of(call), by: process)
            return false
        case .none: return false
        }
    }

    /// A process stands at the beginning of a program.
    mutating func executed(_ process: Int32) {
        pending[process] = nil
        let environment = ((try? Files.read("/proc/\(process)/environ", limit: ProcessFiles.argumentsLimit)) ?? [])
            .split(separator: 0).map { variable in
                let name = variable.prefix { $0 != UInt8(ascii: "=") }
                return (RecordedText.text(name), RecordedText.text(variable.dropFirst(name.count + 1)))
            }
        collector.executed(process, environment: environment, descriptors: Self.descriptors(process))
        guard let path = ProcessFiles.executable(process) else { return }
        collector.add([.file(path, [.execute])], by: process)
        if let status = try? Files.status("/proc/\(process)/exe") {
            if status.permissions & 0o4000 != 0 {
                collector.add([.identity("file owned by \(status.owner), setuid")], by: process)
            }
            if status.permissions & 0o2010 == 0o2010 {
                collector.add([.identity("file of group \(status.group), setgid")], by: process)
            }
        }
        // EI_CLASS of elf(5): 1 is a 32-bit program, whose calls have other numbers.
        if let head = try? Files.open("/proc/\(process)/exe", O_RDONLY),
            (try? Files.readSome(head.raw, count: 5))?.last == 1
        {
            foreign += 1
        }
    }

    // MARK: Reading

    private func read(_ name: String, _ arguments: [UInt64], _ thread: Int32) -> TracedCall {
        var parsed: [TracedCall.Argument] = []
        var base: String?
        for (index, kind) in CallShape.of(name).enumerated() {
            let value = arguments[index]
            switch kind {
            case .path: parsed.append(path(value, nil, thread))
            case .directory:
                let argument = descriptor(value, thread)
                if case .descriptor(_, let path) = argument { base = path }
                parsed.append(argument)
            case .pathFromThere: parsed.append(path(value, base, thread))
            case .descriptor: parsed.append(descriptor(value, thread))
            case .number: parsed.append(.number(Int(truncatingIfNeeded: value)))
            case .how:
                let flags = Tracing.memory(of: thread, at: value, count: 8)
                parsed.append(.number(flags.reversed().reduce(0) { $0 << 8 | Int($1) }))
            case .address:
                let length = min(Int(truncatingIfNeeded: arguments[index + 1] & 0xffff_ffff), Self.addressLimit)
                let bytes = value == 0 ? [] : Tracing.memory(of: thread, at: value, count: length)
                parsed.append(SocketAddress(bytes: bytes).map { .address($0) } ?? .text(""))
            case .text:
                parsed.append(Tracing.text(of: thread, at: value).map { .path(RecordedText.text($0)) } ?? .text(""))
            case .skipped: parsed.append(.text(""))
            }
        }
        var call = TracedCall(name, parsed, result: 0)
        if ["open", "openat", "openat2"].contains(name), let path = call.path(name == "open" ? 0 : 1),
            call.has(name == "open" ? 1 : 2, .create)
        {
            call.existed = Files.exists("/proc/\(thread)/root\(path)")
        }
        return call
    }

    private func path(_ address: UInt64, _ base: String?, _ thread: Int32) -> TracedCall.Argument {
        guard let bytes = Tracing.text(of: thread, at: address, limit: Self.pathLimit), !bytes.isEmpty else {
            return .path("")
        }
        let text = RecordedText.text(bytes)
        if text.hasPrefix("/") { return .path(Paths.absolute(text, in: "/")) }
        let directory = base ?? (try? Files.linkBytes("/proc/\(thread)/cwd")).map { RecordedText.text($0) }
        return .path(directory.map { Paths.absolute(text, in: $0) } ?? text)
    }

    private func descriptor(_ value: UInt64, _ thread: Int32) -> TracedCall.Argument {
        let number = Int(Int32(truncatingIfNeeded: value))
        let link = number == -100 ? "cwd" : "fd/\(number)"
        guard number >= 0 || number == -100 else { return .descriptor(number, nil) }
        return .descriptor(number, (try? Files.linkBytes("/proc/\(thread)/\(link)")).map { RecordedText.text($0) })
    }

    private static func descriptors(_ process: Int32) -> [InheritedDescriptor] {
        let place = "/proc/\(process)"
        let numbers = ((try? Files.list(place + "/fd")) ?? []).compactMap { Int32($0) }.sorted()
        return numbers.compactMap { number in
            guard let target = try? Files.linkBytes("\(place)/fd/\(number)") else { return nil }
            var descriptor = InheritedDescriptor(number: number, target: RecordedText.text(target))
            guard let text = try? Files.readText("\(place)/fdinfo/\(number)"),
                let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags:") }),
                let flags = line.split(whereSeparator: { $0 == "\t" || $0 == " " }).last.flatMap({ Int32($0, radix: 8) }
                )
            else { return descriptor }
            descriptor.access = flags & 3 == O_RDONLY ? .read : flags & 3 == O_WRONLY ? .write : .both
            descriptor.appends = flags & O_APPEND != 0
            return descriptor
        }
    }
}

extension SocketAddress {
    /// From struct sockaddr, ip(7), ipv6(7), unix(7); nil: too short to be one.
    init?(bytes: [UInt8]) {
        guard bytes.count >= 2 else { return nil }
        family = SocketFamily.name(Int(bytes[0]) | Int(bytes[1]) << 8)
        func port() -> Int { Int(bytes[2]) << 8 | Int(bytes[3]) }
        switch family {
        case "unix":
            let path = bytes.dropFirst(2)
            // An abstract name begins with NUL and is as long as the address says.
            text =
                path.first == 0 ? "@" + RecordedText.text(path.dropFirst()) : RecordedText.text(path.prefix { $0 != 0 })
        case "inet" where bytes.count >= 8: text = bytes[4..<8].map { "\($0)" }.joined(separator: ".") + ":\(port())"
        case "inet6" where bytes.count >= 24:
            text = "[\(IPAddress(bytes: Array(bytes[8..<24])))]:\(port())"
        default: text = ""
        }
    }
}
