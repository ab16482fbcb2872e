internal import Glibc
internal import Linux

// Mounts, control groups, packet filter rules and files.
extension Census {
    /// The mounts of this process's mount namespace, a line of /proc/self/mountinfo each.
    static func mounts() -> [Item] {
        mountLines().map { line in
            let fields = line.split(separator: " ")
            let place = fields.count > 4 ? unescaped(fields[4]) : line
            return Item(kind: .mount, identity: line, sentence: "something is mounted on \(place): \(line)")
        }
    }

    /// The control groups of every hierarchy that is mounted, whose own name or one above starts with `prefix`.
    static func cgroups(prefix: String) -> [Item] {
        let hierarchies = mountLines().compactMap { line -> String? in
            let halves = line.split(separator: " ").split(separator: "-", maxSplits: 1)
            guard halves.count == 2, let type = halves[1].first, type == "cgroup" || type == "cgroup2" else {
                return nil
            }
            return unescaped(halves[0][halves[0].startIndex + 4])
        }
        return Set(hierarchies).flatMap { directories(below: $0, prefix: prefix, isInside: false) }.map {
            Item(kind: .cgroup, identity: $0, sentence: "control group \($0) exists")
        }
    }

    private static func directories(below path: String, prefix: String, isInside: Bool) -> [String] {
        ((try? Files.list(path)) ?? []).flatMap { name -> [String] in
            let child = "\(path)/\(name)"
            guard (try? Files.status(child, followLinks: false))?.kind == .directory else { return [] }
            let counts = isInside || name.hasPrefix(prefix)
            return (counts ? [child] : []) + directories(below: child, prefix: prefix, isInside: counts)
        }
    }

    /// The rules of nftables in this network namespace, without their counters; none where `nft` is not installed.
    static func networkRules() async -> [Item] {
        guard isRoot, let nft = CommandRunner.find("nft"),
            let listing = try? await CommandRunner.run([nft, "--stateless", "list", "ruleset"]),
            listing.status.isSuccess
        else { return [] }
        return rules(in: listing.text)
    }

    /// The lines of `nft list ruleset`, each with the tables and chains around it: "table ip t chain c: accept".
    package static func rules(in listing: String) -> [Item] {
        var around: [Substring] = []
        return listing.split(separator: "\n").compactMap { line in
            let words = line.drop { $0 == " " || $0 == "\t" }
            if words == "}", !around.isEmpty {
                around.removeLast()
                return nil
            }
            let place = around.joined(separator: " ")
            if words.hasSuffix("{") { around.append(words.dropLast(2)) }
            let rule = place.isEmpty ? String(words) : "\(place): \(words)"
            return Item(kind: .networkRule, identity: rule, sentence: "nftables still holds \(rule)")
        }
    }

    /// Everything at and below a place, not into what is mounted there.
    static func files(in place: Place) -> [Item] {
        ((try? Files.list(place.directory)) ?? []).filter { $0.hasPrefix(place.prefix) }.flatMap { name in
            tree("\(place.directory)/\(name)", device: nil)
        }
    }

    private static func tree(_ path: String, device: UInt64?) -> [Item] {
        guard let status = try? Files.status(path, followLinks: false) else { return [] }
        let item = Item(
            kind: .file, identity: "\(path) \(status.inode)", sentence: "\(status.kind) \(path) exists")
        guard status.kind == .directory, device == nil || device == status.device else { return [item] }
        return [item] + ((try? Files.list(path)) ?? []).flatMap { tree("\(path)/\($0)", device: status.device) }
    }

    private static func mountLines() -> [String] {
        guard let text = try? Files.readText("/proc/self/mountinfo") else {
            preconditionFailure("/proc/self/mountinfo cannot be read")
        }
        return text.split(separator: "\n").map(String.init)
    }

    /// Undoes proc(5)'s octal escapes: "\040" is a space.
    private static func unescaped(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let first = rest.popFirst() {
            let digits = rest.prefix(3)
            if first == UInt8(ascii: "\\"), digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(first)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
