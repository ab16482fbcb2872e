import Engine
package import JSON
import Linux
import Networking
import OCI

/// Turns containers that were run by hand into the objects that make a cluster run them: a Deployment for what is to stay,
/// a Job for what ends, a Service for what is published or found by name, a claim for each named volume, a policy for what
/// has no network.
///
/// Invariants
/// 1. What comes out is valid for Kubernetes as it is. (test: `what is exported is valid, whatever the container was given`)
/// 2. What a container was given and a pod cannot have is a remark or an error, never left out without a word.
///    (test: `what a pod cannot have is said`)
package struct ContainerExport: Sendable {
    private let containers: [ExportedContainer]
    private let namespace: String?

    /// - Parameter namespace: for every object; nil leaves it to whoever applies them.
    package init(_ containers: [ExportedContainer], namespace: String? = nil) {
        self.containers = containers
        self.namespace = namespace
    }

    /// - Throws: `ExportFailure` for a container without an image.
    package func manifests() throws(ExportFailure) -> ExportedManifests {
        var result = ExportedManifests()
        var names = ManifestNames()
        var claims: [String: String] = [:]
        var services: [(ExportedContainer, String, JSONValue)] = []
        for container in containers {
            guard let image = container.spec.image else {
                throw ExportFailure(
                    "export \(container.name): it runs on this machine's own files, which a cluster does not have. "
                        + "Make an image of its program first: forkless pack -t NAME:TAG \(container.spec.program)")
            }
            let name = names.name(for: container.name)
            var template = PodTemplateExport(container, name: name, image: image.name)
            template.claim = { volume in
                if let claim = claims[volume] { return claim }
                let claim = names.name(for: volume)
                claims[volume] = claim
                result.objects.append(object("v1", "PersistentVolumeClaim", claim, ["spec": Self.claimSpec]))
                return claim
            }
            let pod = template.pod()
            result.objects.append(workload(container, name, pod))
            result.remarks += template.remarks.map { "\(container.name): \($0)" }
            if container.spec.network == .isolated { result.objects.append(isolation(name)) }
            guard let service = service(container, name) else { continue }
            result.objects.append(object("v1", "Service", name, ["spec": service]))
            services.append((container, name, service))
            if let remark = Self.localPorts(container) { result.remarks.append("\(container.name): \(remark)") }
        }
        for (container, name, service) in services { add(container, name, service, &names, &result) }
        return result
    }

    /// The other names under which others find a container, as services of these names where they can be.
    private func add(
        _ container: ExportedContainer, _ name: String, _ service: JSONValue, _ names: inout ManifestNames,
        _ result: inout ExportedManifests
    ) {
        for other in container.names where other != name {
            guard ManifestNames.label(other) == other, names.take(other) else {
                result.remarks.append("\(container.name): others call it \(other); on the cluster its name is \(name)")
                continue
            }
            // One is enough to be reached from outside.
            var spec = service
            spec["type"] = nil
            result.objects.append(object("v1", "Service", other, ["spec": spec]))
        }
    }

    /// Nobody may speak with it, as here.
    private func isolation(_ name: String) -> JSONValue {
        object(
            "networking.k8s.io/v1", "NetworkPolicy", name,
            [
                "spec": [
                    "podSelector": ["matchLabels": ["app.kubernetes.io/name": .string(name)]],
                    "policyTypes": ["Ingress", "Egress"],
                ]
            ])
    }

    private static func localPorts(_ container: ExportedContainer) -> String? {
        let local = container.spec.ports.filter(\.hostAddress.isLoopback)
        guard !local.isEmpty else { return nil }
        let names = local.map { "\($0.hostPort)" }.joined(separator: ", ")
        return local.count == container.spec.ports.count
            ? "port \(names) was open to this machine alone; its Service is open to the cluster (kubectl port-forward)"
            : "port \(names) was open to this machine alone; with its other ports the Service is open to everybody"
    }

    /// One container as the spec of a pod without the objects around it: for whoever makes pods himself.
    ///
    /// - Throws: `ExportFailure` for a container without an image, or with a volume that would need a claim.
    package static func pod(of container: ExportedContainer) throws(ExportFailure) -> JSONValue {
        guard let image = container.spec.image else {
            throw ExportFailure("run \(container.name) on a cluster: it needs an image, which the cluster can pull")
        }
        for case .volume(let volume?, _, _) in container.spec.mounts {
            throw ExportFailure("run \(container.name) on a cluster: the volume \(volume) is this machine's")
        }
        for case .bind(let source, _, _) in container.spec.mounts {
            throw ExportFailure("run \(container.name) on a cluster: \(source) is a path of this machine")
        }
        var template = PodTemplateExport(container, name: ManifestNames.label(container.name), image: image.name)
        return template.pod()
    }

    /// A gigabyte, as nobody has said how much: a local volume has no bound.
    private static let claimSpec: JSONValue = [
        "accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]],
    ]

    private func object(_ apiVersion: String, _ kind: String, _ name: String, _ rest: JSONValue) -> JSONValue {
        var metadata: JSONValue = ["name": .string(name)]
        if let namespace { metadata["namespace"] = .string(namespace) }
        metadata["labels"] = ["app.kubernetes.io/name": .string(name), "app.kubernetes.io/managed-by": "forkless"]
        var object: JSONValue = ["apiVersion": .string(apiVersion), "kind": .string(kind), "metadata": metadata]
        for member in rest.object?.members ?? [] { object[member.key] = member.value }
        return object
    }

    /// What starts again whenever it ends, or serves something and runs, is to stay; anything else ends.
    private func workload(_ container: ExportedContainer, _ name: String, _ pod: JSONValue) -> JSONValue {
        let selector: JSONValue = ["app.kubernetes.io/name": .string(name)]
        var pod = pod
        let template: (JSONValue) -> JSONValue = { ["metadata": ["labels": selector], "spec": $0] }
        if isLasting(container) {
            return object(
                "apps/v1", "Deployment", name,
                ["spec": ["replicas": 1, "selector": ["matchLabels": selector], "template": template(pod)]])
        }
        var retries: Int64 = 0
        if case .onFailure(let limit) = container.spec.restart {
            pod["restartPolicy"] = "OnFailure"
            retries = Int64(limit ?? 6)
        } else {
            pod["restartPolicy"] = "Never"
        }
        return object("batch/v1", "Job", name, ["spec": ["backoffLimit": .integer(retries), "template": template(pod)]])
    }

    private func isLasting(_ container: ExportedContainer) -> Bool {
        switch container.spec.restart {
        case .always, .unlessStopped: true
        case .onFailure: false
        case .no: container.phase.isActive && !(container.spec.ports.isEmpty && container.spec.exposedPorts.isEmpty)
        }
    }

    /// Published ports are reached at every address of the cluster's machines, as they were at this one's. What has no port and
    /// is found by name has a service without an address of its own.
    private func service(_ container: ExportedContainer, _ name: String) -> JSONValue? {
        guard isLasting(container) else { return nil }
        let ports = PodTemplateExport.ports(of: container.spec)
        guard !ports.isEmpty || container.isFoundByName else { return nil }
        var spec: JSONValue = ["selector": ["app.kubernetes.io/name": .string(name)]]
        if ports.isEmpty {
            spec["clusterIP"] = "None"
            return spec
        }
        if container.spec.ports.contains(where: { !$0.hostAddress.isLoopback }) { spec["type"] = "LoadBalancer" }
        spec["ports"] = .array(
            ports.map { port in
                [
                    "name": .string(port.name), "port": .integer(Int64(port.outside)),
                    "targetPort": .string(port.name), "protocol": .string(port.transport),
                ]
            })
        return spec
    }
}
