/// How far up the ladder a program runs.
package enum Rung: String, Hashable, Sendable, CaseIterable {
    case process, container, function
}

/// What somebody asked for: a program and the place it is to run in, in the words of the command line.
///
/// A spec is a wish as it came; `ContainerSpec.validate` checks what can be checked without a machine, `PlanBuilder`
/// turns it into a plan for one. What is nil is the default that the comment names.
package struct ContainerSpec: Hashable, Sendable {
    /// `--name`; nil: a name is made up.
    package var name: String?
    /// `--rung`.
    package var rung = Rung.container
    /// A path inside the root, or a name that is looked up on the environment's PATH inside the root.
    package var program: String
    /// What follows the program's name.
    package var arguments: [String] = []
    /// `-e`: "NAME=value"; of two with one name the later counts.
    package var environment: [String] = []
    /// `-w`; nil: "/".
    package var directory: String?
    /// `-u`: USER[:GROUP] as names or numbers, looked up inside the root; nil: root.
    package var user: String?
    /// `--root`, `--overlay`.
    package var root = ContainerRoot.host
    /// `-v`, `--tmpfs`, in this order.
    package var mounts: [ContainerMount] = []
    /// `--read-only`: the root cannot be written.
    package var isReadOnly = false

    /// `--memory`; nil: no limit.
    package var memoryBytes: Int?
    /// `--cpus` in thousandths; nil: no limit.
    package var milliCPUs: Int?
    /// `--pids-limit`; 0: no limit; nil: `defaultPidsLimit`.
    package var pidsLimit: Int?
    /// `--cpuset-cpus` as the kernel writes it ("0-3,7"); nil: every one.
    package var cpus: String?
    /// `--ulimit`.
    package var limits: [ContainerLimit] = []

    /// `--network`; nil: isolated on the container rung, the machine's on the process rung.
    package var network: ContainerNetwork?
    /// `--hostname`; nil: `defaultHostname`.
    package var hostname: String?

    /// `--cap-add`, `--cap-drop`: names with or without "CAP_", or "ALL". The base is the empty set.
    package var addedCapabilities: [String] = []
    package var droppedCapabilities: [String] = []
    /// `--security-opt seccomp=unconfined`.
    package var hasSystemCallFilter = true
    /// `--security-opt no-new-privileges=false`.
    package var noNewPrivileges = true

    /// `-t`: a pseudo-terminal.
    package var hasTerminal = false
    /// `-i`: standard input is the caller's; otherwise it is empty.
    package var isInteractive = false
    /// `--rm`.
    package var removesOnExit = false
    /// `--stop-signal`; nil: SIGTERM.
    package var stopSignal: Int32?
    /// `--stop-timeout`; nil: `defaultStopTimeoutSeconds`.
    package var stopTimeoutSeconds: Int?
    /// `--log-size`: bytes after which the log is rotated (one older file is kept); nil: `defaultLogBytes`.
    package var logBytes: Int?
    /// `--label`.
    package var labels: [String: String] = [:]

    package init(program: String, arguments: [String] = []) {
        self.program = program
        self.arguments = arguments
    }

    /// More processes than a program needs and fewer than a fork bomb makes.
    package static let defaultPidsLimit = 4096
    /// One name for all: with a name of its own per container no two would share a template.
    package static let defaultHostname = "forkless"
    /// As Docker has it.
    package static let defaultStopTimeoutSeconds = 10
    package static let defaultLogBytes = 16 << 20
}

/// What the container has as its "/".
package enum ContainerRoot: Hashable, Sendable {
    /// The machine's /usr, /etc and their like, read-only, and nothing else of its files.
    case host
    /// A directory of this machine.
    case directory(String)
    /// Directories stacked, the topmost first. Writes go to `upper`, or to memory when that is nil; `work` is the
    /// directory that overlayfs needs beside `upper`.
    case overlay(lower: [String], upper: String?, work: String?)
}

/// One declared mount.
package enum ContainerMount: Hashable, Sendable {
    /// A file or directory of this machine.
    case bind(source: String, target: String, isReadOnly: Bool)
    /// Fresh memory; nil bytes: `ContainerMount.defaultTemporaryBytes`.
    case temporary(target: String, bytes: Int?)

    package static let defaultTemporaryBytes = 64 << 20

    /// The absolute path inside the container.
    package var target: String {
        switch self {
        case .bind(_, let target, _), .temporary(let target, _): target
        }
    }
}

/// Which network a container has.
package enum ContainerNetwork: String, Hashable, Sendable, CaseIterable {
    /// A network of its own in which only the loopback interface is up.
    case isolated = "none"
    /// The machine's.
    case host
}

/// `--ulimit NAME=SOFT[:HARD]`, setrlimit(2).
package struct ContainerLimit: Hashable, Sendable {
    /// The name as in limits.conf(5): "nofile", "nproc", "core", ...
    package var name: String
    /// nil: unlimited.
    package var soft: UInt64?
    package var hard: UInt64?

    package init(name: String, soft: UInt64?, hard: UInt64?) {
        self.name = name
        self.soft = soft
        self.hard = hard
    }
}
