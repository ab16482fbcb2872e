/// Domain name system messages, RFC 1035 section 4. Pure.
///
/// Invariants
/// 1. No bytes make the reader trap or loop: names follow compression pointers backwards only, and have 255 bytes
///    at most. (tests: `bytes that are no message are refused`, `a name that points at itself is refused`)
/// 2. What was written is read back the same. (test: `a message survives writing and reading`)
package struct DNSMessage: Hashable, Sendable {
    package var id: UInt16
    /// The sixteen bits after the id: QR, opcode, AA, TC, RD, RA, RCODE.
    package var flags: UInt16
    package var questions: [DNSQuestion]
    package var answers: [DNSRecord]
    /// Who is responsible: where there is no answer, how long that may be remembered, RFC 2308 section 3.
    package var authorities: [DNSRecord]
    /// The longest datagram that whoever sent this takes, bytes: EDNS, RFC 6891. nil: it knows nothing of that.
    package var datagramBytes: UInt16?

    package static let response: UInt16 = 0x8000
    package static let opcodeMask: UInt16 = 0x7800
    package static let authoritative: UInt16 = 0x0400
    package static let truncated: UInt16 = 0x0200
    package static let recursionDesired: UInt16 = 0x0100
    package static let recursionAvailable: UInt16 = 0x0080

    package enum Code: UInt16, Sendable {
        case noError = 0
        case formatError = 1
        case serverFailure = 2
        case nameError = 3
        case notImplemented = 4
        case refused = 5
    }

    package init(
        id: UInt16, flags: UInt16, questions: [DNSQuestion], answers: [DNSRecord] = [], authorities: [DNSRecord] = [],
        datagramBytes: UInt16? = nil
    ) {
        self.id = id
        self.flags = flags
        self.questions = questions
        self.answers = answers
        self.authorities = authorities
        self.datagramBytes = datagramBytes
    }

    package var isResponse: Bool { flags & Self.response != 0 }
    package var code: UInt16 { flags & 0xf }

    /// An answer to this query.
    package func reply(
        _ code: Code, answers: [DNSRecord] = [], authorities: [DNSRecord] = [], authoritative: Bool = true
    ) -> DNSMessage {
        let kept = flags & (Self.opcodeMask | Self.recursionDesired)
        let own = Self.response | Self.recursionAvailable | (authoritative ? Self.authoritative : 0) | code.rawValue
        return DNSMessage(
            id: id, flags: kept | own, questions: questions, answers: answers, authorities: authorities,
            datagramBytes: datagramBytes.map { _ in Self.ownDatagramBytes })
    }

    /// What we take and send in a datagram at most: what passes every network unfragmented, as name servers agreed in 2020.
    package static let ownDatagramBytes: UInt16 = 1232

    /// More questions than anybody asks; servers answer one.
    private static let questionLimit = 4
    /// More answers than fit into the longest message.
    private static let answerLimit = 4096

    /// Reads header, questions, answers and authorities; of what follows only how long a datagram may be.
    package init?(_ bytes: [UInt8]) {
        var reader = DNSReader(bytes)
        guard let id = reader.number16(), let flags = reader.number16(), let questionCount = reader.number16(),
            let answerCount = reader.number16(), let authorityCount = reader.number16(), let otherCount = reader.number16(),
            questionCount <= Self.questionLimit, answerCount <= Self.answerLimit, authorityCount <= Self.answerLimit
        else { return nil }
        self.init(id: id, flags: flags, questions: [])
        for _ in 0..<questionCount {
            guard let question = reader.question() else { return nil }
            questions.append(question)
        }
        for _ in 0..<answerCount {
            guard let record = reader.record() else { return nil }
            answers.append(record)
        }
        for _ in 0..<authorityCount {
            guard let record = reader.record() else { return nil }
            authorities.append(record)
        }
        // What cannot be read here changes nothing about what was asked.
        for _ in 0..<min(otherCount, 16) {
            guard let type = reader.other() else { return }
            if type.type == DNSQuestion.typeOptions { datagramBytes = type.class }
        }
    }

    /// As it is sent; answers name the question's name by a pointer where it is theirs.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        func append(_ number: UInt16) { bytes += [UInt8(number >> 8), UInt8(number & 0xff)] }
        for number in [id, flags, UInt16(questions.count), UInt16(answers.count), UInt16(authorities.count), datagramBytes == nil ? 0 : 1] {
            append(number)
        }
        for question in questions {
            bytes += question.name.encoded
            append(question.type)
            append(question.class)
        }
        for answer in answers + authorities {
            // The first question's name stands right behind the header.
            if answer.name == questions.first?.name { append(0xc00c) } else { bytes += answer.name.encoded }
            append(answer.type)
            append(answer.class)
            append(UInt16(answer.timeToLive >> 16))
            append(UInt16(answer.timeToLive & 0xffff))
            append(UInt16(answer.data.count))
            bytes += answer.data
        }
        // The root's name, no flags, no options.
        if let datagramBytes { bytes += [0, 0, 41, UInt8(datagramBytes >> 8), UInt8(datagramBytes & 0xff), 0, 0, 0, 0, 0, 0] }
        return bytes
    }

    /// As it is sent in a datagram: without answers and marked as cut off when it would be too long.
    package func encoded(limit: Int) -> [UInt8] {
        let bytes = encoded
        guard bytes.count > limit else { return bytes }
        var short = self
        short.answers = []
        short.authorities = []
        short.flags |= Self.truncated
        return short.encoded
    }
}

/// What is asked for.
package struct DNSQuestion: Hashable, Sendable {
    package var name: DNSName
    package var type: UInt16
    package var `class`: UInt16

    package static let typeA: UInt16 = 1
    package static let typeNameServer: UInt16 = 2
    package static let typeAlias: UInt16 = 5
    package static let typeAuthority: UInt16 = 6
    package static let typePointer: UInt16 = 12
    package static let typeText: UInt16 = 16
    package static let typeAAAA: UInt16 = 28
    package static let typeService: UInt16 = 33
    /// EDNS, which is no record at all.
    package static let typeOptions: UInt16 = 41
    package static let typeAny: UInt16 = 255
    package static let classInternet: UInt16 = 1

    package init(_ name: DNSName, type: UInt16, class: UInt16 = DNSQuestion.classInternet) {
        self.name = name
        self.type = type
        self.class = `class`
    }
}

/// One answer.
package struct DNSRecord: Hashable, Sendable {
    package var name: DNSName
    package var type: UInt16
    package var `class`: UInt16
    /// Seconds.
    package var timeToLive: UInt32
    package var data: [UInt8]

    package init(
        _ name: DNSName, type: UInt16, class: UInt16 = DNSQuestion.classInternet, timeToLive: UInt32, data: [UInt8]
    ) {
        self.name = name
        self.type = type
        self.class = `class`
        self.timeToLive = timeToLive
        self.data = data
    }
}
