/// What tracing one process showed beyond its start and end. Everything is in the order in which it was first seen.
package struct DeepFacts: Hashable, Sendable {
    package var files: [FileUse] = []
    package var sockets: [SocketUse] = []
    /// The names of the variables that it was given. Reading one is no system call: which of them it used cannot be seen.
    package var environmentGiven: [String] = []
    /// The values, when they were asked for; they may be secret.
    package var environmentValues: [String: String] = [:]
    /// Variables that it set or changed for programs which it started, or which it kept from them.
    package var environmentChangedForChildren: [String] = []
    /// Descriptors that were open when the program began, standard streams included.
    package var inheritedDescriptors: [InheritedDescriptor] = []
    /// Terminals that it opened, inherited or asked about.
    package var terminals: [String] = []
    /// Shared memory: "/dev/shm/NAME" (shm_open), "System V KEY", a file mapped for sharing, "anonymous".
    package var sharedMemory: [String] = []
    /// Identities that it took on, and what its file gave it: "setuid(33)", "file owned by root, setuid".
    package var identityChanges: [String] = []
    /// Signals that it sent to processes other than its own.
    package var signalsSent: [String] = []
    /// Calls that changed more than a process: "mount", "setsid", "ptrace", "reboot". Name and how often.
    package var notableCalls: [String: Int] = [:]

    package init() {}

    package var isEmpty: Bool { self == DeepFacts() }
}

/// What was done to one file, by one process.
package struct FileUse: Hashable, Sendable {
    /// How a file can be used.
    package enum Action: String, CaseIterable, Sendable {
        case read, write, create, truncate, append, execute, list, unlink, mkdir, rmdir, link, symlink, lock, map
        /// Its mode, owner, times or attributes were changed.
        case attributes
        /// It was moved away from here.
        case renamedFrom
        /// It was moved here.
        case renamedTo
        /// Asked about only (stat, access, readlink).
        case status
        /// It was looked for and was not there.
        case missing
        /// A device special file, FIFO or socket was made.
        case special
    }

    /// Absolute; with "." and ".." taken out, links as they were written.
    package var path: String
    /// Each once, in the order in which they came.
    package var actions: [Action]

    package init(path: String, actions: [Action]) {
        self.path = path
        self.actions = actions
    }

    /// Whether its contents or its name were changed.
    package var isChanged: Bool {
        actions.contains {
            switch $0 {
            case .write, .create, .truncate, .append, .unlink, .mkdir, .rmdir, .link, .symlink, .attributes,
                .renamedFrom,
                .renamedTo, .special:
                true
            case .read, .execute, .list, .lock, .map, .status, .missing: false
            }
        }
    }
}

/// A socket, and what was done with it.
package struct SocketUse: Hashable, Sendable {
    package enum Action: String, CaseIterable, Sendable { case connect, bind, listen, accept, send, pair, open }

    /// "unix", "inet", "inet6", "netlink", or the number of the family.
    package var family: String
    /// "stream", "datagram", "seqpacket", "raw"; empty where it is not known.
    package var type: String
    /// "127.0.0.1:5432", "[::1]:80", "/run/x.sock", "@abstract"; empty where there is none.
    package var address: String
    package var action: Action

    package init(family: String, type: String, address: String, action: Action) {
        self.family = family
        self.type = type
        self.address = address
        self.action = action
    }
}

/// A descriptor that a program found open when it began.
package struct InheritedDescriptor: Hashable, Sendable {
    package enum Access: String, CaseIterable, Sendable { case read, write, both }

    package var number: Int32
    /// As /proc shows it: "/dev/pts/3", "pipe:[123]", "socket:[124]".
    package var target: String
    package var access: Access?
    /// What was written goes to the end (O_APPEND).
    package var appends: Bool
    /// Whether the program touched it in a call that was traced; nil when that was not followed.
    package var isUsed: Bool?

    package init(number: Int32, target: String, access: Access? = nil, appends: Bool = false, isUsed: Bool? = nil) {
        self.number = number
        self.target = target
        self.access = access
        self.appends = appends
        self.isUsed = isUsed
    }
}
