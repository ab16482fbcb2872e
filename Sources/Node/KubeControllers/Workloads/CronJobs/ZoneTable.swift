internal import Linux
internal import Synchronization

/// The zones of the system, read when they are first asked for, apart from who asks: deciding never waits for a disk.
package final class ZoneTable: Sendable {
    enum Answer: Equatable {
        case known(ZoneRules)
        case missing
        /// It is being read: ask again soon.
        case reading
    }

    /// Zones that are kept, more than there are.
    private static let limit = 1024
    private static let largest = 1 << 16

    private enum Entry {
        case reading
        case read(ZoneRules?)
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let read: @Sendable (String) async -> [UInt8]?

    /// - Parameter read: gives the TZif file of a zone: "Europe/Berlin".
    package init(read: @escaping @Sendable (String) async -> [UInt8]?) { self.read = read }

    /// The files below /usr/share/zoneinfo.
    package static func system() -> ZoneTable {
        ZoneTable { name in
            try? await BlockingPool.shared.run { () throws(SystemError) -> [UInt8] in
                try Files.read("/usr/share/zoneinfo/\(name)", limit: largest)
            }
        }
    }

    func rules(_ name: String) -> Answer {
        if name == "UTC" || name == "Etc/UTC" { return .known(.utc) }
        guard Self.isName(name) else { return .missing }
        let (entry, isNew) = entries.withLock { entries -> (Entry, Bool) in
            if let entry = entries[name] { return (entry, false) }
            // Names that do not exist must not fill the table.
            if entries.count >= Self.limit { entries = [:] }
            entries[name] = .reading
            return (.reading, true)
        }
        if isNew { Task { await self.load(name) } }
        switch entry {
        case .reading: return .reading
        case .read(let rules?): return .known(rules)
        case .read(nil): return .missing
        }
    }

    private func load(_ name: String) async {
        let bytes = await read(name)
        entries.withLock { $0[name] = .read(bytes.flatMap { ZoneRules($0) }) }
    }

    /// A name of the tz database, and no way out of its folder. "Local" is none to Kubernetes.
    private static func isName(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return !name.isEmpty && name.utf8.count < 100 && name.lowercased() != "local"
            && parts.allSatisfy { part in
                !part.isEmpty && !part.hasPrefix(".")
                    && part.utf8.allSatisfy { byte in
                        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || "+-_".utf8.contains(byte)
                    }
            }
    }
}
