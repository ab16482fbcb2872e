import JSON
import Linux

/// What is kept of a container beside its configuration: where its process and its cgroups are. Lives in `state.json`.
struct ContainerRecord: Hashable, Sendable {
    var id: String
    /// Absolute.
    var bundle: String
    /// The root file system's path outside.
    var root: String
    var pid: Int32
    /// When the process started, in ticks since boot: with the pid it names one process for good, proc_pid_stat(5).
    var startTicks: UInt64
    /// RFC 3339.
    var created: String
    /// The cgroups' paths by controller.
    var cgroups: [String: String]
    /// Whether the root was changed by chroot(2): then joining the mount namespace is not enough to be in it.
    var isRootChanged: Bool
    /// Time and pid namespaces and their like that differ from the machine's, by the kernel's bits.
    var namespaces: UInt64

    var bytes: [UInt8] {
        var paths = JSONObject()
        for controller in cgroups.keys.sorted() { paths[controller] = .string(cgroups[controller]!) }
        return JSONWriter.bytes([
            "id": .string(id), "bundle": .string(bundle), "rootfs": .string(root),
            "init_process_pid": .integer(Int64(pid)),
            "init_process_start": .integer(Int64(clamping: startTicks)), "created": .string(created),
            "cgroup_paths": .object(paths), "root_changed": .bool(isRootChanged),
            "namespaces": .integer(Int64(clamping: namespaces)),
        ])
    }

    init(
        id: String, bundle: String, root: String, pid: Int32, startTicks: UInt64, created: String,
        cgroups: [String: String],
        isRootChanged: Bool, namespaces: UInt64
    ) {
        self.id = id
        self.bundle = bundle
        self.root = root
        self.pid = pid
        self.startTicks = startTicks
        self.created = created
        self.cgroups = cgroups
        self.isRootChanged = isRootChanged
        self.namespaces = namespaces
    }

    init(_ bytes: [UInt8]) throws(RuntimeFailure) {
        do {
            var reader = try JSONObjectReader(try JSONParser.parse(bytes))
            id = try reader.required("id")
            bundle = try reader.required("bundle")
            root = try reader.required("rootfs")
            pid = try reader.required("init_process_pid")
            startTicks = UInt64(max(0, try reader.required("init_process_start", as: Int64.self)))
            created = try reader.required("created")
            cgroups = try reader.dictionary("cgroup_paths")
            isRootChanged = try reader.required("root_changed")
            namespaces = UInt64(max(0, try reader.required("namespaces", as: Int64.self)))
        } catch {
            throw RuntimeFailure("the container's state cannot be read: \(error)")
        }
        guard pid > 0 else { throw RuntimeFailure("the container's state cannot be read: process \(pid)") }
    }
}

/// Whether a process is the one that was recorded.
enum ProcessIdentity {
    /// When a process started, in ticks since boot; nil when it is gone or a zombie.
    static func startTicks(of pid: Int32) -> UInt64? {
        guard let text = try? Files.readControl("/proc/\(pid)/stat") else { return nil }
        return startTicks(stat: text)
    }

    /// Pure: field 22; the name in field 2 may hold anything.
    static func startTicks(stat: [UInt8]) -> UInt64? {
        guard let end = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = stat[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let state = fields[0].first, ![UInt8(ascii: "Z"), UInt8(ascii: "X")].contains(state)
        else {
            return nil
        }
        return UInt64(String(decoding: fields[19], as: UTF8.self))
    }
}
