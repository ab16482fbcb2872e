package import Linux
package import Networking
package import OCI

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
    /// The image whose layers are the root and whose defaults hold where the spec says nothing; nil: `root`.
    package var image: ContainerImage?
    /// `--entrypoint`: takes the place of the image's entrypoint and leaves out the image's command; an empty list is
    /// no entrypoint. nil: the image's.
    package var entrypoint: [String]?
    /// A path inside the root, or a name that is looked up on the environment's PATH inside the root. With an image
    /// it is the first word of the command and may be empty, which stands for the image's command.
    package var program: String
    /// What follows the program's name.
    package var arguments: [String] = []
    /// `-e`: "NAME=value"; of two with one name the later counts.
    package var environment: [String] = []
    /// `-w`; nil: "/".
    package var directory: String?
    /// `-u`: USER[:GROUP] as names or numbers, looked up inside the root; nil: root.
    package var user: String?
    /// `--group-add`, by number: groups besides those that the root's files say.
    package var supplementalGroups: [UInt32] = []
    /// `--root`, `--overlay`.
    package var root = ContainerRoot.host
    /// `-v`, `--tmpfs`, in this order.
    package var mounts: [ContainerMount] = []
    /// Directories that `-v` binds and that are made where they are missing.
    package var madeSources: [String] = []
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

    /// `--shm-size`: the bytes of /dev/shm; nil: 64 MiB.
    package var sharedMemoryBytes: Int?
    /// `--cpu-shares`: the weight against others, 2...262144; nil: 1024.
    package var cpuShares: Int?
    /// `--device`.
    package var devices: [ContainerDevice] = []

    /// `--network`; nil: the network `bridge` with an image, isolated without one, the machine's on the process rung.
    package var network: ContainerNetwork?
    /// `--pid`.
    package var processes = ProcessSharing.own
    /// `-p`.
    package var ports: [PublishedPort] = []
    /// `-P`: every exposed port gets a free port of the machine.
    package var publishesExposedPorts = false
    /// `--expose`, besides those of the image.
    package var exposedPorts: [ContainerPort] = []
    /// `--dns`; empty: the machine's.
    package var nameServers: [IPAddress] = []
    /// `--dns-search`, `--dns-option`; nil: the machine's.
    package var searchDomains: [String]?
    package var resolverOptions: [String]?
    /// `--add-host`.
    package var extraHosts: [NetworkAttachment.ExtraHost] = []
    /// `--hostname`; nil: the start of the id with an image, `defaultHostname` without.
    package var hostname: String?

    /// `--cap-add`, `--cap-drop`: names with or without "CAP_", or "ALL". The base is Docker's set with an image, the
    /// empty set without one.
    package var addedCapabilities: [String] = []
    package var droppedCapabilities: [String] = []
    /// `--privileged`: every capability that the node has, every device, nothing masked or read-only, no filter.
    package var isPrivileged = false
    /// `--security-opt seccomp=unconfined`.
    package var hasSystemCallFilter = true
    /// `--security-opt no-new-privileges=false`.
    package var noNewPrivileges = true

    /// `-t`: a pseudo-terminal.
    package var hasTerminal = false
    /// `-i`: standard input is the caller's; otherwise it is empty.
    package var isInteractive = false
    /// Whether standard input ends when the first who attached to it has left; with `isInteractive`, without a terminal.
    package var endsInputOnce = false
    /// `--init`: a small program is the first process; it passes signals on and reaps what nobody waits for.
    package var usesInit = false
    /// `--rm`.
    package var removesOnExit = false
    /// `--restart`.
    package var restart = RestartPolicy.no
    /// `--health-cmd` and its like; nil: the image's. `Healthcheck.Test.none` is `--no-healthcheck`.
    package var healthcheck: Healthcheck?
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
    /// A volume of the node's, made when it is not there; nil name: one of its own for this container.
    case volume(name: String?, target: String, isReadOnly: Bool)

    package static let defaultTemporaryBytes = 64 << 20

    /// The absolute path inside the container.
    package var target: String {
        switch self {
        case .bind(_, let target, _), .temporary(let target, _), .volume(_, let target, _): target
        }
    }
}

/// Which image a container is made from.
package struct ContainerImage: Hashable, Sendable {
    /// What the user wrote: a name, a digest or the start of an id.
    package var name: String
    /// The image's id, found out when the container is made: a name that moves on later moves no container.
    package var id: Digest?

    package init(_ name: String, id: Digest? = nil) {
        self.name = name
        self.id = id
    }
}

/// Which network a container has.
package enum ContainerNetwork: Hashable, Sendable {
    /// A network of its own in which only the loopback interface is up: `none`.
    case isolated
    /// The machine's.
    case host
    /// That of another container, which has to run: `container:NAME`.
    case container(String)
    /// That of a pod, which was made for all its containers (`ContainerNetworks.attach(pod:)`).
    case pod(String)
    /// Networks of this node, by name or id; never empty.
    case joined([NetworkAttachment.Joining])
}

/// Which processes a container sees.
package enum ProcessSharing: Hashable, Sendable {
    /// Its own, of which its program is the first.
    case own
    /// The machine's: `host`.
    case host
    /// Those of another container, which has to run, and with which it ends if that one's are its own: `container:NAME`.
    case container(String)
}

/// `--device OUTSIDE[:INSIDE[:rwm]]`
package struct ContainerDevice: Hashable, Sendable {
    /// The device on this machine.
    package var source: String
    /// Its path inside.
    package var target: String
    /// Of "r" (read), "w" (write), "m" (mknod).
    package var permissions: String

    package init(source: String, target: String, permissions: String = "rwm") {
        self.source = source
        self.target = target
        self.permissions = permissions
    }
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
