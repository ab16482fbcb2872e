import JSON
import KubeObjects
import KubeSchema
import Linux
import Sandbox

/// The volumes of one pod on this machine: made before its containers, kept as the objects that they show, removed
/// with the pod.
///
/// Invariants
/// 1. Nothing below the pod's own directory is followed by name through what a container may have written.
/// 2. What is removed with the pod is its own directory and nothing that it only refers to.
///    (test: `volumes go with the pod, and what they lead to stays`)
/// 3. A claim leads to the volume that is bound to it, and to no other that it names.
///    (test: `a claim leads to no volume that is not bound to it`)
/// 4. A directory that the machine's owner has declared as a hostPath keeps its owners.
///    (test: `the group of a pod gets a local volume as a whole, and no hostPath`)
struct PodVolumes: Sendable {
    let pod: KubeObject
    let settings: PodSettings
    let contents: VolumeContents
    let now: @Sendable () -> Linux.Timestamp
    /// Whether the pod's programs use them already: then files keep the owners that those have given them.
    var isInUse = false

    /// Where a volume is on this machine.
    struct Place: Hashable, Sendable {
        var path: String
        var isReadOnly = false
        /// Memory of at most so many bytes, which is mounted there; nil bytes: half of the machine's.
        var memory: Memory?

        struct Memory: Hashable, Sendable { var bytes: Int }
    }

    struct Made: Sendable {
        var places: [String: Place] = [:]
        var refreshAt: Linux.Timestamp?
    }

    /// A volume that cannot be had: the event FailedMount.
    struct Problem: Error, Sendable {
        var volume: String
        var message: String
    }

    var directory: String { Self.directory(settings, pod.uid) }

    static func directory(_ settings: PodSettings, _ uid: String) -> String {
        settings.directory + "/" + PodNaming.short(uid)
    }

    private var group: UInt32? { pod.spec["securityContext", "fsGroup"]?.integer.flatMap(UInt32.init(exactly:)) }

    /// Makes all volumes, or brings those that show objects up to date.
    func make() async throws(Problem) -> Made {
        var made = Made()
        for volume in pod.spec["volumes"]?.array ?? [] {
            let name = volume["name"]?.string ?? ""
            do throws(ConfigProblem) {
                let (place, refresh) = try await make(volume, directory + "/volumes/" + PodNaming.hash(name))
                made.places[name] = place
                if let refresh { made.refreshAt = min(made.refreshAt ?? refresh, refresh) }
            } catch {
                throw Problem(
                    volume: name, message: "MountVolume.SetUp failed for volume \"\(name)\" : \(error.message)")
            }
        }
        return made
    }

    private func make(_ volume: JSONValue, _ path: String) async throws(ConfigProblem) -> (Place, Linux.Timestamp?) {
        if let made = try await contents.files(of: volume, now: now()) {
            let files = AtomicFiles(directory: path, group: group)
            _ = try await Self.onDisk { () throws(SystemError) in try files.write(made.files) }
            return (Place(path: path), made.refreshAt)
        }
        if let empty = volume["emptyDir"], !empty.isNull { return (try await makeEmpty(empty, path), nil) }
        if let host = volume["hostPath"], !host.isNull { return (try await HostPath(host).place(), nil) }
        if let claim = volume["persistentVolumeClaim"], !claim.isNull {
            return (
                try await place(
                    ofClaim: claim["claimName"]?.string ?? "", isReadOnly: claim["readOnly"]?.bool ?? false), nil
            )
        }
        if volume["ephemeral"]?.isNull == false {
            let name = "\(pod.name)-\(volume["name"]?.string ?? "")"
            return (try await place(ofClaim: name, isReadOnly: false), nil)
        }
        let kind = volume.object?.members.first { $0.key != "name" && !$0.value.isNull }?.key ?? "none"
        throw ConfigProblem("volumes of the kind \(kind) are not supported by this node")
    }

    private func makeEmpty(_ source: JSONValue, _ path: String) async throws(ConfigProblem) -> Place {
        let group = group
        try await Self.onDisk { () throws(SystemError) in
            guard !Files.exists(path) else { return }
            try Files.makeDirectories(path, mode: 0o755)
            let fd = try Files.open(path, 0)
            if let group { try FileEntries.setOwner(0, group, of: fd.raw, name: path) }
            try FileEntries.setMode(group == nil ? 0o777 : 0o2777, of: fd.raw, name: path)
        }
        switch source["medium"]?.string ?? "" {
        case "": return Place(path: path)
        case "Memory":
            let limit = Quantity(json: source["sizeLimit"]).flatMap { $0.isZero ? nil : Int(clamping: $0.value) }
            return Place(
                path: path, memory: Place.Memory(bytes: max(4096, min(limit ?? .max, settings.machine.memoryBytes / 2)))
            )
        case let medium: throw ConfigProblem("emptyDir of the medium \(medium) is not supported by this node")
        }
    }

    // Claims.

    private func place(ofClaim name: String, isReadOnly: Bool) async throws(ConfigProblem) -> Place {
        let namespace = pod.namespace ?? "default"
        guard let claim = try await find(.persistentVolumeClaims, namespace, name) else {
            throw ConfigProblem("persistentvolumeclaim \"\(name)\" not found")
        }
        guard claim.status["phase"]?.string == "Bound", let volume = claim.spec["volumeName"]?.string, !volume.isEmpty
        else {
            throw ConfigProblem("persistentvolumeclaim \"\(name)\" is not bound to a volume")
        }
        guard claim.spec["volumeMode"]?.string != "Block" else {
            throw ConfigProblem("persistentvolumeclaim \"\(name)\": block devices are not supported by this node")
        }
        guard let found = try await find(.persistentVolumes, nil, volume) else {
            throw ConfigProblem("persistentvolume \"\(volume)\" not found")
        }
        let holder = found.spec["claimRef"]
        guard holder?["uid"]?.string == claim.uid, holder?["namespace"]?.string == namespace,
            holder?["name"]?.string == name
        else {
            throw ConfigProblem(
                "persistentvolume \"\(volume)\" is not bound to persistentvolumeclaim \"\(namespace)/\(name)\", "
                    + "which names it")
        }
        var place: Place
        if let host = found.spec["hostPath"], !host.isNull {
            place = try await HostPath(host).place(madeWith: 0o777)
        } else if let local = found.spec["local"], !local.isNull {
            place = try await HostPath(["path": local["path"] ?? "", "type": "DirectoryOrCreate"]).place(
                madeWith: 0o777)
        } else {
            throw ConfigProblem(
                "persistentvolume \"\(volume)\": only hostPath and local volumes are supported by this node")
        }
        place.isReadOnly = isReadOnly
        if Self.takesGroup(found) { try await setGroup(of: place) }
        return place
    }

    /// Directories that were made for a claim are as local volumes; a hostPath may be anybody's, and no `fsGroup` changes
    /// it.
    private static func takesGroup(_ volume: KubeObject) -> Bool {
        if let local = volume.spec["local"], !local.isNull { return true }
        return volume.metadata.annotations["pv.kubernetes.io/provisioned-by"] == "forkless.dev/local-path"
    }

    private func find(_ resource: Resource, _ namespace: String?, _ name: String) async throws(ConfigProblem)
        -> KubeObject?
    {
        do throws(APIFailure) { return try await contents.references.find(resource, namespace: namespace, name) } catch
        {
            throw ConfigProblem("\(resource) \"\(name)\": \(error.message)")
        }
    }

    /// A claim's volume belongs to the pod's group.
    private func setGroup(of place: Place) async throws(ConfigProblem) {
        guard let group, !place.isReadOnly, !isInUse else { return }
        let unlessDone = pod.spec["securityContext", "fsGroupChangePolicy"]?.string == "OnRootMismatch"
        try await Self.onDisk { () throws(SystemError) in
            try Files.giveTree(place.path, toGroup: group, unlessDone: unlessDone)
        }
    }

    /// Removes what the pod had for itself.
    static func remove(_ settings: PodSettings, uid: String, _ mounts: PodMounts) async throws(ConfigProblem) {
        let directory = directory(settings, uid)
        try await mounts.unmountAll(below: directory)
        try await onDisk { () throws(SystemError) in if Files.exists(directory) { try Files.removeTree(directory) } }
    }

    static func onDisk<Value: Sendable>(
        _ body: @escaping @Sendable () throws(SystemError) -> Value
    ) async throws(ConfigProblem) -> Value {
        do throws(SystemError) { return try await BlockingPool.shared.run(body) } catch {
            throw ConfigProblem("\(error)")
        }
    }
}
