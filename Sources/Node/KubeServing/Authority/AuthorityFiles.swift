internal import Linux

/// The files of a node's identity, in one directory of mode 700, each of mode 600 and replaced as a whole:
///
///     ca.pem                certificate and key of the private authority; made first
///     service-account.pem   keys of service accounts' tokens: the first signs, all are believed
///     admin.token           the token of the node's administrator
///     serving.pem           certificate and key of the door; made last
///     ca.crt                the authority's certificate alone, for people: mode 644
///
/// Invariants (tests in AuthorityTests):
/// 1. What is there is never made anew but for the serving certificate: whoever trusts the authority goes on doing so
///    (`an authority is the same after a restart`).
/// 2. A first start that was interrupted is completed: what was made later is missing, and nothing else
///    (`an interrupted first start is completed`).
/// 3. A file that is missing though a later one is there was lost: the node says so and makes nothing
///    (`a lost file is refused and named`).
struct AuthorityFiles {
    enum File: String, CaseIterable {
        case authority = "ca.pem"
        case tokens = "service-account.pem"
        case administrator = "admin.token"
        case serving = "serving.pem"
    }

    /// Longest file, bytes.
    private static let limit = 1 << 20

    let directory: String

    /// Makes the directory, and looks for what was lost.
    func prepare() throws(AuthorityFailure) {
        do throws(SystemError) {
            try Files.makeDirectories(directory, mode: 0o700)
            try Files.setPermissions(directory, 0o700)
        } catch { throw AuthorityFailure("make the directory of the node's keys: \(error)") }
        let order = File.allCases
        for (index, file) in order.enumerated() where !exists(file) {
            guard let later = order[(index + 1)...].first(where: exists) else { continue }
            // A directory that was lost as a whole is no such case: there is then nothing that anybody trusts.
            throw AuthorityFailure(
                "read the node's keys: \(path(file)) is missing although \(later.rawValue) is there, so it was lost. "
                    + "Restore it from a backup; or remove the directory \(directory), and give every client a new "
                    + "kubeconfig after the next start.")
        }
    }

    func path(_ file: File) -> String { directory + "/" + file.rawValue }

    func exists(_ file: File) -> Bool { Files.exists(path(file)) }

    /// nil when there is none.
    func text(_ file: File) throws(AuthorityFailure) -> String? {
        guard exists(file) else { return nil }
        do throws(SystemError) {
            let status = try Files.status(path(file))
            // A mode that somebody widened lets others act as this node.
            if status.permissions & 0o077 != 0 { try Files.setPermissions(path(file), 0o600) }
            return String(decoding: try Files.read(path(file), limit: Self.limit), as: UTF8.self)
        } catch { throw AuthorityFailure("read the node's keys: \(error)") }
    }

    func write(_ text: String, _ file: File) throws(AuthorityFailure) {
        try write(text, path(file), mode: 0o600)
    }

    /// What people give to their clients.
    func publish(authority certificate: String) throws(AuthorityFailure) {
        let path = directory + "/ca.crt"
        if let before = try? Files.read(path, limit: Self.limit), before == Array(certificate.utf8) { return }
        try write(certificate, path, mode: 0o644)
    }

    private func write(_ text: String, _ path: String, mode: UInt32) throws(AuthorityFailure) {
        do throws(SystemError) {
            try? Files.remove(path + ".new")
            try Files.replace(path, with: Array(text.utf8), mode: mode)
            try Files.synchronize(directory: directory)
        } catch { throw AuthorityFailure("write the node's keys: \(error)") }
    }

    /// Why a file cannot be used, with what to do.
    func broken(_ file: File, _ reason: any Error) -> AuthorityFailure {
        AuthorityFailure(
            "read \(path(file)): \(reason). Restore it from a backup; or remove the directory \(directory), and give "
                + "every client a new kubeconfig after the next start.")
    }
}
