import Networking
import JSON
import Linux

/// What is called what in the cluster: github.com/kubernetes/dns, docs/specification.md, version 1.1.0. Pure.
///
/// Invariants
/// 1. A name that does not exist and one that has no record of the type asked for are told apart, and both say how long
///    that holds (RFC 2308). (test: `a name without such a record is told from one that is not there`)
/// 2. What is not below the cluster's domain is nobody's here. (test: `other names are not the cluster's`)
/// 3. Withdrawn pods have no name any more. (test: `a withdrawn pod leaves the names of its service`)
struct ClusterNames {
    let model: ClusterModel
    /// "cluster.local", in small letters.
    let domain: String

    /// Seconds; as long as pods' clients may not hear of a change.
    static let timeToLive: UInt32 = 5
    private static let version = "1.1.0"
    /// Aliases that lead to names of our own are followed so far.
    private static let aliasLimit = 8

    /// What there is under a name.
    enum Finding: Hashable {
        case nothing
        /// Records of any type, also none at all: then there are only names below it.
        case records([DNSRecord])
        case alias(DNSName)
    }

    /// nil: not a name of the cluster's.
    func decide(_ query: DNSMessage) -> NameTable.Decision? {
        guard !query.isResponse, query.flags & DNSMessage.opcodeMask == 0, query.questions.count == 1,
            query.questions[0].class == DNSQuestion.classInternet
        else { return nil }
        let question = query.questions[0]
        guard let finding = find(question.name) else { return nil }
        return decide(query, question.name, finding, [])
    }

    private func decide(
        _ query: DNSMessage, _ name: DNSName, _ finding: Finding, _ before: [DNSRecord]
    ) -> NameTable.Decision {
        let type = query.questions[0].type
        switch finding {
        case .nothing: return .reply(query.reply(.nameError, answers: before, authorities: [authority]))
        case .records(let all):
            let asked = all.filter { $0.type == type || type == DNSQuestion.typeAny }
            let turn = asked.isEmpty ? 0 : Int(query.id) % asked.count
            let answers = before + asked[turn...] + asked[..<turn]
            return .reply(query.reply(.noError, answers: answers, authorities: asked.isEmpty ? [authority] : []))
        case .alias(let target):
            let alias = DNSRecord(name, type: DNSQuestion.typeAlias, timeToLive: Self.timeToLive, data: target.encoded)
            let answers = before + [alias]
            guard type != DNSQuestion.typeAlias, type != DNSQuestion.typeAny, answers.count <= Self.aliasLimit else {
                return .reply(query.reply(.noError, answers: answers))
            }
            guard let next = find(target) else {
                return .follow(query.reply(.noError, answers: answers), DNSQuestion(target, type: type), [])
            }
            return decide(query, target, next, answers)
        }
    }

    /// Until when nothing needs to be asked again: SOA, RFC 1035 3.3.13.
    private var authority: DNSRecord {
        let numbers: [UInt32] = [1, 7200, 1800, 86400, Self.timeToLive]
        let data =
            DNSName("ns.dns.\(domain)")!.encoded + DNSName("hostmaster.\(domain)")!.encoded
            + numbers.flatMap { number in (0..<4).reversed().map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) } }
        return DNSRecord(DNSName(domain)!, type: DNSQuestion.typeAuthority, timeToLive: Self.timeToLive, data: data)
    }

    /// nil: not a name of the cluster's.
    func find(_ name: DNSName) -> Finding? {
        if let bytes = name.reversedAddress { return reverse(name, IPAddress(bytes: bytes)) }
        let folded = name.folded
        guard folded == domain || folded.hasSuffix("." + domain) else { return nil }
        let labels = folded.dropLast(domain.utf8.count).split(separator: ".").map(String.init)
        switch labels.last {
        case nil: return .records([authority])
        case "svc": return service(name, labels.dropLast())
        case "pod": return pod(name, labels.dropLast())
        case "dns-version" where labels.count == 1:
            let text = Array(Self.version.utf8)
            return .records([record(name, DNSQuestion.typeText, [UInt8(text.count)] + text)])
        case "dns" where labels.count <= 2 && (labels.count == 1 || labels[0] == "ns"): return .records([])
        default: return .nothing
        }
    }

    private func record(_ name: DNSName, _ type: UInt16, _ data: [UInt8]) -> DNSRecord {
        DNSRecord(name, type: type, timeToLive: Self.timeToLive, data: data)
    }

    func record(_ name: DNSName, _ address: IPAddress) -> DNSRecord {
        record(name, address.isIPv6 ? DNSQuestion.typeAAAA : DNSQuestion.typeA, address.bytes)
    }

    func record(_ name: DNSName, port: UInt16, of target: DNSName) -> DNSRecord {
        // Priority and weight, RFC 2782.
        let numbers: [UInt16] = [0, 100, port]
        return record(
            name, DNSQuestion.typeService, numbers.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] } + target.encoded)
    }

    /// a-b-c-d.NAMESPACE.pod: whatever address it says, when there is the namespace.
    private func pod(_ name: DNSName, _ labels: ArraySlice<String>) -> Finding {
        guard let namespace = labels.last else { return .records([]) }
        guard model.namespaces[namespace] != nil else { return .nothing }
        if labels.count == 1 { return .records([]) }
        guard labels.count == 2, let address = Self.address(labels.first!) else { return .nothing }
        return .records([record(name, address)])
    }

    /// "10-1-0-2", "fd00--1"
    private static func address(_ label: String) -> IPAddress? {
        IPAddress(String(label.map { $0 == "-" ? "." : $0 })) ?? IPAddress(String(label.map { $0 == "-" ? ":" : $0 }))
    }

    private func reverse(_ name: DNSName, _ address: IPAddress) -> Finding? {
        guard let target = self.name(of: address) else { return nil }
        return .records([record(name, DNSQuestion.typePointer, target.encoded)])
    }
}
