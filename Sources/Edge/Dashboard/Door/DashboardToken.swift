import Linux

/// The token that opens the dashboard, in STATE/dashboard.token: made once, readable by its owner alone.
///
/// Invariants
/// 1. A token that others may have read opens nothing. (test: `a token that others can read is refused`)
package struct DashboardToken: Sendable {
    package let text: String

    package static func path(state: String) -> String { "\(state)/dashboard.token" }

    init(_ text: String) { self.text = text }

    /// Reads it, or makes it where there is none.
    ///
    /// - Throws: when it cannot be read or written, or others than its owner may read it.
    package static func open(state: String) throws(DashboardFailure) -> DashboardToken {
        let path = path(state: state)
        do {
            if !Files.exists(path) {
                let text = Secret.random()
                try Files.replace(path, with: Array("\(text)\n".utf8), mode: 0o600)
            }
            let status = try Files.status(path)
            guard status.permissions & 0o077 == 0 else {
                throw DashboardFailure(
                    .failed, "read the dashboard's token: others than its owner may read \(path). Remove it and start the node again: it makes a new one.")
            }
            let text = try Files.readText(path).split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
            guard text.utf8.count >= 32 else {
                throw DashboardFailure(
                    .failed, "read the dashboard's token: \(path) holds less than 32 characters. Remove it and start the node again: it makes a new one.")
            }
            return DashboardToken(text)
        } catch let failure as DashboardFailure {
            throw failure
        } catch { throw DashboardFailure(.failed, "open the dashboard's token: \(error)") }
    }

    /// Whether a text is the token. How long it takes does not depend on where they differ.
    func matches(_ text: String) -> Bool { Secret.areEqual(self.text, text) }
}

/// Texts that nobody can guess.
enum Secret {
    /// 43 characters, 256 bits from the kernel.
    static func random() -> String {
        var system = SystemRandomNumberGenerator()
        return random(&system)
    }

    static func random(_ chance: inout some RandomNumberGenerator) -> String {
        String(decoding: (0..<43).map { _ in alphabet[Int(chance.next() & 63)] }, as: UTF8.self)
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Looks at all bytes, whether or not the first ones differ; only the lengths are told by the time.
    @inline(never)
    static func areEqual(_ a: String, _ b: String) -> Bool {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for index in a.indices { difference |= a[index] ^ b[index] }
        return difference == 0
    }
}
