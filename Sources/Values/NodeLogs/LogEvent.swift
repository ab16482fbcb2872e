/// How much somebody wants to hear.
package enum LogLevel: String, Hashable, Sendable, CaseIterable, Comparable {
    /// Each call.
    case debug
    /// What a node does by itself: it serves, it ends, it takes over.
    case info
    /// Something is not as it should be, and the node goes on.
    case warn
    /// Something that was asked for is not done.
    case error

    package static func < (a: LogLevel, b: LogLevel) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warn: 2
        case .error: 3
        }
    }
}

/// One thing that happened, for the node's log.
package struct LogEvent: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        case text(String)
        case number(Int)
        case flag(Bool)
    }

    package struct Field: Hashable, Sendable {
        /// Ours, and so a plain word in small letters: "duration_us".
        package var name: String
        package var value: Value
    }

    package var level: LogLevel
    /// Which part of the node speaks: "node", "functions", "kubernetes".
    package var part: String
    /// A sentence, or a few words that are the same for all events of a kind.
    package var message: String
    /// Of the call that it is about.
    package var requestID: String?
    /// 32 digits.
    package var traceID: String?
    /// 16 digits.
    package var spanID: String?
    package var fields: [Field] = []

    package init(_ level: LogLevel, _ part: String, _ message: String, requestID: String? = nil) {
        self.level = level
        self.part = part
        self.message = message
        self.requestID = requestID
    }

    package mutating func add(_ name: String, _ text: String?) {
        if let text { fields.append(Field(name: name, value: .text(text))) }
    }

    package mutating func add(_ name: String, _ number: Int?) {
        if let number { fields.append(Field(name: name, value: .number(number))) }
    }

    package mutating func add(_ name: String, flag: Bool) { fields.append(Field(name: name, value: .flag(flag))) }
}

/// Takes events of calls: one line for each. nil where nobody asked for them, so that a call pays one comparison.
package typealias CallLog = @Sendable (LogEvent) -> Void
