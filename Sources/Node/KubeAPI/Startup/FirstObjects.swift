import JSON
import KubeObjects
import KubeStore
import KubeViews
import Linux

/// What is there when the API starts for the first time, in the order in which it is made.
enum FirstObjects {
    static func all(_ settings: APISettings) -> [(Resource, JSONValue)] {
        var objects: [(Resource, JSONValue)] = []
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            objects.append(
                (.namespaces, ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]]))
        }
        objects += BootstrapPolicy.clusterRoles.map { (.clusterRoles, $0) }
        objects += BootstrapPolicy.clusterRoleBindings.map { (.clusterRoleBindings, $0) }
        objects.append(
            (
                .priorityClasses,
                priority(
                    "system-cluster-critical", 2_000_000_000,
                    "Used for system critical pods that must run in the cluster, but can be moved to another node "
                        + "if necessary."
                )
            ))
        objects.append(
            (
                .priorityClasses,
                priority(
                    "system-node-critical", 2_000_001_000,
                    "Used for system critical pods that must not be moved from their current node.")
            ))
        objects.append((.storageClasses, storage))
        if let controller = settings.ingressController {
            objects.append((DefaultIngressClass.resource, ingressClass(controller)))
        }
        if let address = settings.serviceRanges.first?.base.advanced(by: 1) {
            objects.append((.services, service(address, settings.apiPort)))
        }
        return objects
    }

    private static func priority(_ name: String, _ value: Int64, _ description: String) -> JSONValue {
        [
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": ["name": .string(name)],
            "value": .integer(value), "description": .string(description),
        ]
    }

    /// The name that k3s and kind give to directories of the node, which is what these volumes are.
    private static let storage: JSONValue = [
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": [
            "name": "local-path", "annotations": ["storageclass.kubernetes.io/is-default-class": "true"],
        ], "provisioner": "forkless.dev/local-path", "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": false,
    ]

    /// Of what the node serves itself.
    private static func ingressClass(_ controller: String) -> JSONValue {
        [
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
            "metadata": [
                "name": "forkless", "annotations": ["ingressclass.kubernetes.io/is-default-class": "true"],
            ], "spec": ["controller": .string(controller)],
        ]
    }

    /// The API for pods, under the first address of services.
    private static func service(_ address: IPAddress, _ port: UInt16) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Service",
            "metadata": [
                "name": "kubernetes", "namespace": "default",
                "labels": ["component": "apiserver", "provider": "kubernetes"],
            ],
            "spec": [
                "clusterIP": .string("\(address)"), "type": "ClusterIP", "sessionAffinity": "None",
                "ports": [["name": "https", "protocol": "TCP", "port": 443, "targetPort": .integer(Int64(port))]],
            ],
        ]
    }

    /// Where the API is, for the service: written at every start, since it may have moved.
    static func endpoints(_ settings: APISettings) -> [(Resource, JSONValue)] {
        guard let address = settings.apiAddress else { return [] }
        let port: JSONValue = ["name": "https", "port": .integer(Int64(settings.apiPort)), "protocol": "TCP"]
        let label: JSONValue = ["endpointslice.kubernetes.io/skip-mirror": "true"]
        return [
            (
                .endpoints,
                [
                    "apiVersion": "v1", "kind": "Endpoints",
                    "metadata": ["name": "kubernetes", "namespace": "default", "labels": label],
                    "subsets": [["addresses": [["ip": .string("\(address)")]], "ports": [port]]],
                ]
            ),
            (
                .endpointSlices,
                [
                    "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                    "metadata": [
                        "name": "kubernetes", "namespace": "default",
                        "labels": ["kubernetes.io/service-name": "kubernetes"],
                    ], "addressType": .string(address.isIPv6 ? "IPv6" : "IPv4"),
                    "endpoints": [["addresses": [.string("\(address)")], "conditions": ["ready": true]]],
                    "ports": [port],
                ]
            ),
        ]
    }
}

extension APIServer {
    private static let itself = UserInfo(name: "system:apiserver", groups: [UserInfo.masters])

    /// Makes what is not there yet, repairs what is, and says where the API is.
    func makeFirstObjects() async throws(APIFailure) {
        let client = client(as: Self.itself, manager: "kube-apiserver")
        for (resource, object) in FirstObjects.all(settings) {
            let object = KubeObject(json: object)
            guard let there = known.get(resource, namespace: object.namespace, object.name) else {
                try await make(resource, object, client)
                continue
            }
            guard let repaired = BootstrapRepair.repaired(there.value, by: object.json) else { continue }
            try await client.update(resource, KubeObject(json: repaired), subresource: nil)
        }
        for (resource, object) in FirstObjects.endpoints(settings) {
            let wanted = KubeObject(json: object)
            do throws(APIFailure) {
                try await client.modify(resource, namespace: wanted.namespace, wanted.name) { object in
                    let before = object
                    for field in ["subsets", "addressType", "endpoints", "ports"] where wanted.json[field] != nil {
                        object.json[field] = wanted.json[field]
                    }
                    return object != before
                }
            } catch {
                guard error.code == 404 else { throw error }
                try await make(resource, wanted, client)
            }
        }
    }

    private func make(_ resource: Resource, _ object: KubeObject, _ client: any ObjectClient) async throws(APIFailure) {
        do throws(APIFailure) { try await client.create(resource, object) } catch {
            guard error.reason == "AlreadyExists" else { throw error }
        }
    }
}
