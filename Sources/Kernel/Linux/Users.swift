import CKernel

/// Users and groups, read from passwd(5) and group(5) by ourselves.
///
/// The C library's look-ups load plug-ins and, inside a container's files, would run the container's code
/// in a privileged process; a static executable cannot do them at all.
public struct Users: Sendable {
    public struct User: Hashable, Sendable {
        public var name: String
        public var uid: UInt32
        public var gid: UInt32
        public var home: String
        public var shell: String
    }

    public struct Group: Hashable, Sendable {
        public var name: String
        public var gid: UInt32
        public var members: [String]
    }

    public var users: [User]
    public var groups: [Group]

    /// Parses the two files; lines that are malformed are passed over, as the C library does.
    public init(passwd: String, group: String) {
        users = passwd.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 7, let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else { return nil }
            return User(
                name: String(fields[0]), uid: uid, gid: gid, home: String(fields[5]), shell: String(fields[6]))
        }
        groups = group.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 4, let gid = UInt32(fields[2]) else { return nil }
            return Group(
                name: String(fields[0]), gid: gid, members: fields[3].split(separator: ",").map(String.init))
        }
    }

    /// The machine's own. A file that is missing counts as empty.
    public static func ofMachine() -> Users {
        Users(
            passwd: (try? Files.readText("/etc/passwd")) ?? "", group: (try? Files.readText("/etc/group")) ?? "")
    }

    /// Those of a root filesystem, read inside it and nowhere else; at most 1 MiB, regular files only.
    package static func inRoot(_ root: CInt) -> Users {
        func text(_ path: String) -> String {
            guard let fd = try? PathResolution.open(path, inRoot: root, flags: O_RDONLY | O_NONBLOCK),
                let status = try? Files.status(of: fd.raw), status.kind == .regular,
                let bytes = try? Files.readAll(fd.raw, limit: 1 << 20)
            else { return "" }
            return String(decoding: bytes, as: UTF8.self)
        }
        return Users(passwd: text("/etc/passwd"), group: text("/etc/group"))
    }

    /// Who a program runs as.
    public struct Identity: Hashable, Sendable {
        public var uid: UInt32
        public var gid: UInt32
        /// Supplementary groups.
        public var groups: [UInt32]
        public var home: String

        public init(uid: UInt32, gid: UInt32, groups: [UInt32] = [], home: String = "/") {
            self.uid = uid
            self.gid = gid
            self.groups = groups
            self.home = home
        }
    }

    /// Reads Docker's `USER[:GROUP]`, each a name or a decimal number below 2^31.
    ///
    /// A user without a group gets their own group and the supplementary ones of group(5); a number that no
    /// line names gets group 0, as Docker does.
    public func identity(of text: String) throws(UserError) -> Identity {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let wantedUser = parts[0]
        guard !wantedUser.isEmpty else { throw UserError(text: text, problem: "the user is empty") }
        let user: User?
        let uid: UInt32
        if wantedUser.allSatisfy(\.isNumber) {
            uid = try number(wantedUser, of: text)
            user = users.first { $0.uid == uid }
        } else {
            user = users.first { $0.name == wantedUser }
            guard let user else { throw UserError(text: text, problem: "no user of that name in /etc/passwd") }
            uid = user.uid
        }
        guard parts.count == 2 else {
            let supplementary = groups.filter { group in user.map { group.members.contains($0.name) } ?? false }
            return Identity(uid: uid, gid: user?.gid ?? 0, groups: supplementary.map(\.gid), home: user?.home ?? "/")
        }
        let wantedGroup = parts[1]
        guard !wantedGroup.isEmpty else { throw UserError(text: text, problem: "the group is empty") }
        if wantedGroup.allSatisfy(\.isNumber) {
            return Identity(uid: uid, gid: try number(wantedGroup, of: text), home: user?.home ?? "/")
        }
        guard let group = groups.first(where: { $0.name == wantedGroup }) else {
            throw UserError(text: text, problem: "no group of that name in /etc/group")
        }
        return Identity(uid: uid, gid: group.gid, home: user?.home ?? "/")
    }

    private func number(_ digits: String, of text: String) throws(UserError) -> UInt32 {
        guard let number = UInt32(digits), number < 1 << 31 else {
            throw UserError(text: text, problem: "an id is a number from 0 to 2147483647")
        }
        return number
    }
}

/// A user that cannot be made out.
public struct UserError: Error, Hashable, Sendable, CustomStringConvertible {
    public var text: String
    public var problem: String

    public var description: String { "user \"\(text)\": \(problem)" }
}
