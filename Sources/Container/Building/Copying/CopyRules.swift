internal import Engine
internal import Linux

/// How what is copied differs from its source.
struct CopyRules: Hashable, Sendable {
    /// `--chown`; nil: root for what comes from a context, the source's own otherwise.
    var owner: (user: UInt32, group: UInt32)? {
        get { hasOwner ? (user, group) : nil }
        set {
            hasOwner = newValue != nil
            (user, group) = newValue ?? (0, 0)
        }
    }
    /// `--chmod`: permission bits of files and directories; nil: the source's.
    var mode: UInt32?
    private var hasOwner = false
    private var user: UInt32 = 0
    private var group: UInt32 = 0

    init(owner: (user: UInt32, group: UInt32)? = nil, mode: UInt32? = nil) {
        self.mode = mode
        self.owner = owner
    }

    /// Reads `USER[:GROUP]` of a --chown, names looked up among `users`. As with Docker, a user's number without a group
    /// is the group's number, too, and a name brings its own group.
    static func owner(_ text: String, users: Users) throws(BuildFailure) -> (user: UInt32, group: UInt32) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        func number(_ text: String) -> UInt32? {
            text.utf8.allSatisfy({ $0.isDigit }) ? UInt32(text).flatMap { $0 < 1 << 31 ? $0 : nil } : nil
        }
        func refused(_ why: String) -> BuildFailure { BuildFailure(.badRequest, "--chown=\(text): \(why)") }
        let owner: (user: UInt32, group: UInt32)
        if let id = number(parts[0]) {
            owner = (id, id)
        } else if let user = users.users.first(where: { $0.name == parts[0] }) {
            owner = (user.uid, user.gid)
        } else {
            throw refused("the image has no user \"\(parts[0])\" in /etc/passwd; write its number")
        }
        guard parts.count == 2 else { return owner }
        if let id = number(parts[1]) { return (owner.user, id) }
        guard let group = users.groups.first(where: { $0.name == parts[1] }) else {
            throw refused("the image has no group \"\(parts[1])\" in /etc/group; write its number")
        }
        return (owner.user, group.gid)
    }
}
