import Linux

/// HOME of a process whose environment does not say it: what the root's passwd(5) has for the user, as runc sets it.
enum HomeDirectory {
    static func environment(_ given: [String], uid: UInt32, inRoot root: CInt) -> [String] {
        guard !given.contains(where: { $0.hasPrefix("HOME=") && $0.utf8.count > 5 }) else { return given }
        let home = Users.inRoot(root).users.first { $0.uid == uid }?.home ?? "/"
        return given.filter { !$0.hasPrefix("HOME=") } + ["HOME=\(home.isEmpty ? "/" : home)"]
    }
}
