import ArgumentParser

/// The flags that say what place a program runs in; `run` and `compare` share them. The letters are Docker's.
struct PlaceFlags: ParsableArguments {
    @Option(
        name: [.customShort("e", allowingJoined: true), .customLong("env")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set a variable; a name alone passes your own on.", valueName: "name=value"))
    var environment: [String] = []

    @Option(name: .customLong("env-file"), help: ArgumentHelp("Read variables from a file.", valueName: "file"))
    var environmentFiles: [String] = []

    @Option(
        name: [.customShort("v", allowingJoined: true), .customLong("volume")],
        help: ArgumentHelp("A path of this machine, or a volume by its name.", valueName: "source:target[:ro]"))
    var volumes: [String] = []

    @Option(
        name: .customLong("mount"),
        help: ArgumentHelp("The same in keys: type=volume|bind|tmpfs,source=...,target=...", valueName: "keys"))
    var mounts: [String] = []

    @Option(name: .customLong("tmpfs"), help: ArgumentHelp("Put fresh memory at a path.", valueName: "target[:size=64m]"))
    var tmpfs: [String] = []

    @Option(
        name: [.customShort("w"), .customLong("workdir")],
        help: ArgumentHelp("Start in this directory of the sandbox.", valueName: "directory"))
    var directory: String?

    @Option(
        name: [.customShort("u"), .customLong("user")],
        help: ArgumentHelp("Run as this user, by name or number.", valueName: "user[:group]"))
    var user: String?

    @Option(
        name: .customLong("root"),
        help: ArgumentHelp("The root: \"host\" (the machine's /usr, /etc, ... read-only) or a directory.", valueName: "host|dir"))
    var root: String?

    @Option(
        name: .customLong("overlay"),
        help: ArgumentHelp("Directories stacked to one root, the topmost first; writes go to memory.", valueName: "dir[:dir...]"))
    var overlay: String?

    @Flag(name: .customLong("read-only"), help: "The root cannot be written.")
    var isReadOnly = false

    @Option(name: [.customShort("m"), .customLong("memory")], help: ArgumentHelp("Limit on memory.", valueName: "512m"))
    var memory: String?

    @Option(name: .customLong("cpus"), help: ArgumentHelp("Limit on CPU, in processors.", valueName: "1.5"))
    var cpus: String?

    @Option(
        name: .customLong("cpuset-cpus"), help: ArgumentHelp("Run on these processors only.", valueName: "0-2,5"))
    var cpuset: String?

    @Option(
        name: .customLong("pids-limit"), parsing: .unconditional,
        help: ArgumentHelp("Limit on processes and threads; -1 for none.", valueName: "number"))
    var pidsLimit: String?

    @Option(name: .customLong("ulimit"), help: ArgumentHelp("A limit of setrlimit(2).", valueName: "name=soft[:hard]"))
    var limits: [String] = []

    @Option(
        name: [.customShort("c"), .customLong("cpu-shares")],
        help: ArgumentHelp("Weight when CPU time is short (default: 1024).", valueName: "weight"))
    var cpuShares: String?

    @Option(name: .customLong("shm-size"), help: ArgumentHelp("What /dev/shm may hold (default: 64m).", valueName: "64m"))
    var sharedMemory: String?

    @Option(
        name: .customLong("device"),
        help: ArgumentHelp("Give a device of this machine, for reading and writing.", valueName: "device[:path[:rwm]]"))
    var devices: [String] = []

    @Flag(name: .customLong("init"), help: "Start the program by a small first process that passes signals on and reaps.")
    var usesInit = false

    @Option(
        name: [.customLong("network"), .customLong("net")],
        help: ArgumentHelp(
            "\"none\": loopback only; \"host\": the machine's; \"container:NAME\"; or networks by name.",
            valueName: "network"))
    var networks: [String] = []

    @Option(name: [.customShort("h"), .customLong("hostname")], help: ArgumentHelp("The host name seen inside.", valueName: "name"))
    var hostname: String?

    @Option(name: .customLong("cap-add"), help: ArgumentHelp("Give a capability; a container of an image has Docker's 14, others none.", valueName: "name"))
    var addedCapabilities: [String] = []

    @Option(name: .customLong("cap-drop"), help: ArgumentHelp("Take a capability away again.", valueName: "name"))
    var droppedCapabilities: [String] = []

    @Option(
        name: .customLong("security-opt"),
        help: ArgumentHelp("seccomp=unconfined, or no-new-privileges=true|false.", valueName: "option"))
    var security: [String] = []
}

/// The flags of `run` that say how the program is held.
struct RunFlags: ParsableArguments {
    @Flag(name: [.customShort("i"), .customLong("interactive")], help: "Connect your standard input; it is empty otherwise.")
    var isInteractive = false

    @Flag(name: [.customShort("t"), .customLong("tty")], help: "Give the program a terminal.")
    var hasTerminal = false

    @Flag(name: [.customShort("d"), .customLong("detach")], help: "Print the container's id and return; output goes to the log.")
    var isDetached = false

    @Flag(name: .customLong("rm"), help: "Remove the container when its program has ended.")
    var removesOnExit = false

    @Option(name: .customLong("name"), help: ArgumentHelp("The container's name.", valueName: "name"))
    var name: String?

    @Option(
        name: .customLong("rung"),
        help: ArgumentHelp("How far up the ladder to run it.", valueName: "process|container|function"))
    var rung: String?

    @Option(name: [.customShort("l"), .customLong("label")], help: ArgumentHelp("Attach a label.", valueName: "name=value"))
    var labels: [String] = []

    @Option(name: .customLong("stop-signal"), help: ArgumentHelp("What `stop` sends (default: TERM).", valueName: "signal"))
    var stopSignal: String?

    @Option(
        name: .customLong("stop-timeout"),
        help: ArgumentHelp("Seconds between that and SIGKILL (default: 10).", valueName: "seconds"))
    var stopTimeout: String?

    @Option(name: .customLong("log-size"), help: ArgumentHelp("Rotate the log after so much (default: 16m).", valueName: "16m"))
    var logSize: String?
}
