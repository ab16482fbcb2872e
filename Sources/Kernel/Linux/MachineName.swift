import CKernel

/// What uname(2) tells of the machine.
package struct MachineName: Hashable, Sendable {
    /// The host's name.
    package var node: String
    /// The kernel's release: "6.1.0-18-amd64".
    package var kernel: String
    /// "x86_64", "aarch64".
    package var architecture: String

    package static func current() -> MachineName {
        var release = [CChar](repeating: 0, count: 65)
        var machine = release
        var node = release
        _ = ck_uname(&release, &machine, &node)
        func text(_ letters: [CChar]) -> String {
            String(decoding: letters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return MachineName(node: text(node), kernel: text(release), architecture: text(machine))
    }
}
