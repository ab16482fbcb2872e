import Engine
import JSON
import KubeObjects
import OCI

/// What programs of a container may do: core/v1.SecurityContext over the pod's, and what the node cannot give.
struct PodSecurity: Sendable {
    let pod: KubeObject
    let container: JSONValue

    private var ofPod: JSONValue { pod.spec["securityContext"] ?? .object([:]) }
    private var own: JSONValue { container["securityContext"] ?? .object([:]) }
    private func setting(_ key: String) -> JSONValue? { own[key] ?? ofPod[key] }

    private var place: String {
        "(pod: \"\(pod.name)_\(pod.namespace ?? "default")(\(pod.uid))\", container: \(container["name"]?.string ?? ""))"
    }

    /// Writes what holds into a spec.
    ///
    /// - Throws: what cannot be had: CreateContainerConfigError for what contradicts itself, CreateContainerError for
    ///   what this node does not do.
    func apply(to spec: inout ContainerSpec, image: ImageDefaults) throws(PodMachine.StartFailureError) {
        try refuse()
        let user = setting("runAsUser")?.integer
        try verify(user, image)
        let group = setting("runAsGroup")?.integer
        if let user {
            spec.user = group.map { "\(user):\($0)" } ?? "\(user)"
        } else if let group {
            let name = image.user.split(separator: ":").first.map(String.init) ?? "0"
            spec.user = "\(name):\(group)"
        }
        var groups = (ofPod["supplementalGroups"]?.array ?? []).compactMap { $0.integer.flatMap(UInt32.init(exactly:)) }
        if let group = ofPod["fsGroup"]?.integer.flatMap(UInt32.init(exactly:)), !groups.contains(group) {
            groups.append(group)
        }
        spec.supplementalGroups = groups
        spec.isReadOnly = own["readOnlyRootFilesystem"]?.bool ?? false
        spec.addedCapabilities = (own["capabilities", "add"]?.array ?? []).compactMap(\.string)
        spec.droppedCapabilities = (own["capabilities", "drop"]?.array ?? []).compactMap(\.string)
        spec.noNewPrivileges = own["allowPrivilegeEscalation"]?.bool == false
        spec.isPrivileged = own["privileged"]?.bool ?? false
        spec.hasSystemCallFilter = setting("seccompProfile")?["type"]?.string != "Unconfined"
    }

    private func refuse() throws(PodMachine.StartFailureError) {
        func refuse(_ what: String) -> PodMachine.StartFailureError {
            .init(.create("\(what) is not supported by this node"))
        }
        if setting("seccompProfile")?["type"]?.string == "Localhost" {
            throw refuse("seccompProfile of type Localhost")
        }
        if setting("appArmorProfile")?["type"]?.string == "Localhost" {
            throw refuse("appArmorProfile of type Localhost")
        }
        if own["procMount"]?.string == "Unmasked" { throw refuse("procMount Unmasked") }
        if let options = setting("seLinuxOptions"), options.object?.isEmpty == false { throw refuse("seLinuxOptions") }
        if ofPod["supplementalGroupsPolicy"]?.string == "Strict" { throw refuse("supplementalGroupsPolicy Strict") }
        if container["volumeDevices"]?.array?.isEmpty == false {
            throw refuse("volumeDevices: block devices of claims")
        }
    }

    /// As the kubelet verifies that a container does not run as root.
    private func verify(_ user: Int64?, _ image: ImageDefaults) throws(PodMachine.StartFailureError) {
        guard setting("runAsNonRoot")?.bool == true else { return }
        if let user {
            guard user == 0 else { return }
            throw .init(.config("container's runAsUser breaks non-root policy \(place)"))
        }
        let name = image.user.split(separator: ":").first.map(String.init) ?? ""
        guard !name.isEmpty, name != "root" else {
            throw .init(.config("container has runAsNonRoot and image will run as root \(place)"))
        }
        guard let number = UInt32(name) else {
            throw .init(
                .config(
                    "container has runAsNonRoot and image has non-numeric user (\(name)), cannot verify user is non-root \(place)"
                ))
        }
        if number == 0 { throw .init(.config("container has runAsNonRoot and image will run as root \(place)")) }
    }
}

extension PodMachine {
    /// A failure of a start, to be thrown.
    struct StartFailureError: Error {
        var failure: StartFailure
        init(_ failure: StartFailure) { self.failure = failure }
    }
}
