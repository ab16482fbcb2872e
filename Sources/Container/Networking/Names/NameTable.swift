package import Linux

/// Who is called what, and who may know. Pure: a query and its sender in, a decision out.
///
/// Invariants
/// 1. A container learns names and addresses of its own networks only. (test: `a name is known in its network only`)
/// 2. What is asked from internal networks only never leaves the machine. (test: `an internal network does not forward`)
/// 3. Nobody but containers is answered. (test: `strangers are refused`)
package struct NameTable: Hashable, Sendable {
    /// A container in one network.
    package struct Entry: Hashable, Sendable {
        package var containerID: String
        package var network: String
        package var names: [String]
        package var addresses: [IPAddress]
        package var isInternal: Bool
        /// Who is asked for everything else; empty: the machine's.
        package var nameServers: [IPAddress]

        package init(
            containerID: String, network: String, names: [String], addresses: [IPAddress], isInternal: Bool = false,
            nameServers: [IPAddress] = []
        ) {
            self.containerID = containerID
            self.network = network
            self.names = names
            self.addresses = addresses
            self.isInternal = isInternal
            self.nameServers = nameServers
        }
    }

    package enum Decision: Hashable, Sendable {
        case reply(DNSMessage)
        /// To these name servers; empty: the machine's.
        case forward([IPAddress])
        /// The answer is an alias: what these name servers (empty: the machine's) say of its target belongs to it.
        case follow(DNSMessage, DNSQuestion, [IPAddress])
        /// No answer at all: it was no query.
        case ignore
    }

    /// Containers come and go: nobody remembers an answer for long. Seconds.
    package static let timeToLive: UInt32 = 5

    private var entries: [String: [Entry]] = [:]
    private var byAddress: [IPAddress: Entry] = [:]
    /// Network, then name.
    private var byName: [String: [String: Set<IPAddress>]] = [:]

    package init() {}

    /// What a container is called in all its networks, instead of what it was called before.
    package mutating func set(_ new: [Entry], of containerID: String) {
        for entry in entries.removeValue(forKey: containerID) ?? [] {
            for address in entry.addresses { byAddress[address] = nil }
            for name in entry.names {
                byName[entry.network]?[Self.fold(name)]?.subtract(entry.addresses)
                if byName[entry.network]?[Self.fold(name)]?.isEmpty == true { byName[entry.network]?[Self.fold(name)] = nil }
            }
            if byName[entry.network]?.isEmpty == true { byName[entry.network] = nil }
        }
        guard !new.isEmpty else { return }
        entries[containerID] = new
        for entry in new {
            for address in entry.addresses { byAddress[address] = entry }
            for name in entry.names { byName[entry.network, default: [:]][Self.fold(name), default: []].formUnion(entry.addresses) }
        }
    }

    package func decide(_ query: DNSMessage, from sender: IPAddress) -> Decision {
        guard !query.isResponse else { return .ignore }
        guard query.flags & DNSMessage.opcodeMask == 0 else { return .reply(query.reply(.notImplemented)) }
        guard query.questions.count == 1 else { return .reply(query.reply(.formatError)) }
        guard let asking = byAddress[sender], let places = entries[asking.containerID] else {
            return .reply(query.reply(.refused, authoritative: false))
        }
        let question = query.questions[0]
        if question.class == DNSQuestion.classInternet, let known = answer(question, in: places.map(\.network)) {
            return .reply(query.reply(.noError, answers: known))
        }
        guard places.contains(where: { !$0.isInternal }) else { return .reply(query.reply(.nameError)) }
        return .forward(asking.nameServers)
    }

    /// nil: not a name of ours. Empty: one of ours without such a record.
    private func answer(_ question: DNSQuestion, in networks: [String]) -> [DNSRecord]? {
        if let bytes = question.name.reversedAddress {
            guard let entry = byAddress[IPAddress(bytes: bytes)], networks.contains(entry.network), let name = entry.names.first,
                let target = DNSName("\(name).\(entry.network)")
            else { return nil }
            guard question.type == DNSQuestion.typePointer else { return [] }
            return [record(question, target.encoded)]
        }
        var addresses: Set<IPAddress> = []
        let name = question.name.folded
        for network in networks {
            addresses.formUnion(byName[network]?[name] ?? [])
            // The name that a PTR record gives.
            if name.hasSuffix("." + Self.fold(network)) {
                let short = String(name.dropLast(network.utf8.count + 1))
                addresses.formUnion(byName[network]?[short] ?? [])
            }
        }
        guard !addresses.isEmpty else { return nil }
        switch question.type {
        case DNSQuestion.typeA: return addresses.filter { !$0.isIPv6 }.sorted().map { record(question, $0.bytes) }
        case DNSQuestion.typeAAAA: return addresses.filter(\.isIPv6).sorted().map { record(question, $0.bytes) }
        default: return []
        }
    }

    private func record(_ question: DNSQuestion, _ data: [UInt8]) -> DNSRecord {
        DNSRecord(question.name, type: question.type, timeToLive: Self.timeToLive, data: data)
    }

    private static func fold(_ name: String) -> String { DNSName(name)?.folded ?? name }
}
