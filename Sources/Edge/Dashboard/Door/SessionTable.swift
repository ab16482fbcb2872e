import Linux

/// Who has logged in. A value that decides; times are given.
///
/// Invariants (tests in SessionTableTests)
/// 1. A ticket opens one session. (`a ticket works once, and not for ever`)
/// 2. There are never more sessions than the limit; the one that was used longest ago goes. (`sessions are bounded`)
/// 3. A session that nobody has used for long, or that is old, is none. (`sessions end`)
package struct SessionTable: Sendable {
    static let limit = 64
    static let ticketLimit = 16
    static let idleNanoseconds = 12 * 3600 * 1_000_000_000
    static let ageNanoseconds = 7 * 86_400 * 1_000_000_000
    static let ticketNanoseconds = 300 * 1_000_000_000

    package struct Session: Hashable, Sendable {
        /// Stands in each form; what lacks it was not made by us.
        package var formToken: String
        var beganAt: Timestamp
        var usedAt: Timestamp
        package var notice: PageSurroundings.Notice?
    }

    private var sessions: [String: Session] = [:]
    /// What a person's browser logs in with, and until when.
    private var tickets: [String: Timestamp] = [:]

    package init() {}

    var count: Int { sessions.count }

    mutating func issueTicket(_ ticket: String, now: Timestamp) {
        tickets = tickets.filter { $0.value > now }
        if tickets.count >= Self.ticketLimit, let oldest = tickets.min(by: { $0.value < $1.value }) { tickets[oldest.key] = nil }
        tickets[ticket] = Timestamp(nanoseconds: now.nanoseconds + Self.ticketNanoseconds)
    }

    /// Takes a ticket. Each works once.
    mutating func useTicket(_ ticket: String, now: Timestamp) -> Bool {
        guard let until = tickets.removeValue(forKey: ticket) else { return false }
        return now < until && until.nanoseconds - now.nanoseconds <= Self.ticketNanoseconds
    }

    mutating func begin(_ id: String, formToken: String, now: Timestamp) {
        sessions = sessions.filter { isAlive($0.value, now) }
        if sessions.count >= Self.limit, let oldest = sessions.min(by: { $0.value.usedAt < $1.value.usedAt }) {
            sessions[oldest.key] = nil
        }
        sessions[id] = Session(formToken: formToken, beganAt: now, usedAt: now)
    }

    /// The session of a cookie; nil when there is none, or none any more.
    mutating func use(_ id: String, now: Timestamp) -> Session? {
        guard let session = sessions[id] else { return nil }
        guard isAlive(session, now) else {
            sessions[id] = nil
            return nil
        }
        sessions[id]!.usedAt = now
        return session
    }

    mutating func end(_ id: String) { sessions[id] = nil }

    mutating func setNotice(_ notice: PageSurroundings.Notice?, of id: String) { sessions[id]?.notice = notice }

    private func isAlive(_ session: Session, _ now: Timestamp) -> Bool {
        // A clock that was set back ends sessions rather than prolong them.
        let (idle, age) = (now.nanoseconds - session.usedAt.nanoseconds, now.nanoseconds - session.beganAt.nanoseconds)
        return idle > -Self.idleNanoseconds && idle < Self.idleNanoseconds && age > -Self.idleNanoseconds && age < Self.ageNanoseconds
    }
}

/// How often a wrong token may be tried: a bucket that fills again. A value that decides.
package struct LoginLimit: Sendable {
    static let most = 10
    static let nanosecondsForOne = 3_000_000_000

    private var left = LoginLimit.most
    private var filledAt = 0

    package init() {}

    /// Whether one more may be tried now. Only wrong ones are taken off, with `failed`.
    mutating func allows(nowNanoseconds: Int) -> Bool {
        let more = max(0, nowNanoseconds - filledAt) / Self.nanosecondsForOne
        if left + more >= Self.most {
            left = Self.most
            filledAt = nowNanoseconds
        } else {
            left += more
            filledAt += more * Self.nanosecondsForOne
        }
        return left > 0
    }

    mutating func failed() { left = max(0, left - 1) }
}
