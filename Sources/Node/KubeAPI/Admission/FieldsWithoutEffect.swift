package import JSON
import KubeObjects
import KubeSchema

/// Fields that are stored and have no effect on one node: whoever writes them is told so.
package enum FieldsWithoutEffect {
    /// - Parameters:
    ///   - spec: of a pod or a template.
    ///   - path: where it stands, as ["spec", "template", "spec"].
    /// - Returns: a sentence for each such field.
    package static func warnings(_ spec: JSONValue, path: [String]) -> [String] {
        let place = path.joined(separator: ".")
        var warnings = placement(spec, place) + security(spec["securityContext"], "\(place).securityContext")
        for list in PodTemplates.containerLists {
            for (index, container) in (spec[list]?.array ?? []).enumerated() {
                warnings += self.container(container, "\(place).\(list)[\(index)]")
            }
        }
        for (index, volume) in (spec["volumes"]?.array ?? []).enumerated() {
            warnings += self.volume(volume, "\(place).volumes[\(index)]")
        }
        return warnings
    }

    private static func placement(_ spec: JSONValue, _ place: String) -> [String] {
        var warnings: [String] = []
        if spec["topologySpreadConstraints"]?.array?.isEmpty == false {
            warnings.append("\(place).topologySpreadConstraints: there is one node, so pods are spread over nothing")
        }
        for field in ["podAffinity", "podAntiAffinity"] {
            let terms = [
                "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution",
            ]
            for term in terms where spec["affinity", field, term]?.array?.isEmpty == false {
                let effect =
                    term.hasPrefix("required") ? "it only decides whether a pod may run on it" : "it has no effect"
                warnings.append("\(place).affinity.\(field).\(term): there is one node, so \(effect)")
            }
        }
        if let name = spec["schedulerName"]?.string, !["", "default-scheduler"].contains(name) {
            warnings.append(
                "\(place).schedulerName: no scheduler \(name.goQuoted) runs here, so the pod waits until one does")
        }
        if spec["os", "name"]?.string == "windows" {
            warnings.append("\(place).os.name: the node runs Linux, so the pod cannot run")
        }
        if spec["hostUsers"]?.bool == false {
            warnings.append("\(place).hostUsers: user namespaces of pods are not set up here")
        }
        return warnings
    }

    private static func security(_ context: JSONValue?, _ place: String) -> [String] {
        guard let context else { return [] }
        var warnings: [String] = []
        if context["appArmorProfile"].map({ $0["type"] != "Unconfined" }) == true {
            warnings.append("\(place).appArmorProfile: AppArmor profiles are not applied here")
        }
        if context["seLinuxOptions"]?.object?.isEmpty == false {
            warnings.append("\(place).seLinuxOptions: SELinux labels are not supported here, so the pod does not start")
        }
        if context["seLinuxChangePolicy"] != nil {
            warnings.append("\(place).seLinuxChangePolicy: SELinux labels are not applied here")
        }
        if context["windowsOptions"]?.object?.isEmpty == false {
            warnings.append("\(place).windowsOptions: the node runs Linux")
        }
        return warnings
    }

    private static func container(_ container: JSONValue, _ place: String) -> [String] {
        var warnings = security(container["securityContext"], "\(place).securityContext")
        for field in ["limits", "requests"] {
            for member in container["resources", field]?.object?.members ?? [] {
                if member.key == "ephemeral-storage", field == "limits" {
                    warnings.append("\(place).resources.limits[ephemeral-storage]: it is not enforced here")
                } else if member.key.hasPrefix("hugepages-") {
                    warnings.append("\(place).resources.\(field)[\(member.key)]: huge pages are not handed out here")
                }
            }
        }
        if container["resources", "claims"]?.array?.isEmpty == false {
            warnings.append("\(place).resources.claims: devices are not handed out here")
        }
        return warnings
    }

    private static let remote = [
        "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
        "gcePersistentDisk", "glusterfs", "iscsi", "photonPersistentDisk", "portworxVolume", "quobyte", "rbd",
        "scaleIO",
        "storageos", "vsphereVolume",
    ]

    private static func volume(_ volume: JSONValue, _ place: String) -> [String] {
        var warnings = remote.filter { volume[$0] != nil }.map { type in
            "\(place).\(type): volumes of this type are not mounted here, so a pod with one does not start"
        }
        if volume["emptyDir", "sizeLimit"].map({ !$0.isNull }) == true,
            volume["emptyDir", "medium"]?.string != "Memory"
        {
            warnings.append("\(place).emptyDir.sizeLimit: it is enforced here only for the medium Memory")
        }
        return warnings
    }

    /// - Returns: a sentence for each taint of a node that does less here than it says.
    static func warnings(ofNode node: JSONValue) -> [String] {
        (node["spec", "taints"]?.array ?? []).enumerated().filter { $1["effect"] == "NoExecute" }.map { index, _ in
            "spec.taints[\(index)].effect: NoExecute keeps new pods away and ends those of DaemonSets; "
                + "it evicts no other pod here"
        }
    }
}

/// Says with writes of pods, templates and nodes what of them has no effect.
struct WarningRule: AdmissionRule {
    let warnings: @Sendable (_ spec: JSONValue, _ path: [String]) -> [String]

    func check(_ request: AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .create || request.operation == .update, request.call.subresource == nil,
            !request.call.isTrusted
        else { return }
        if request.isFor(.nodes) {
            guard request.object["spec", "taints"] != request.old?["spec", "taints"] else { return }
            return request.call.warnings.add(FieldsWithoutEffect.warnings(ofNode: request.object))
        }
        guard let path = PodTemplates.path(request.call.kind) else { return }
        func spec(_ object: JSONValue?) -> JSONValue? { path.reduce(object) { $0?[$1] } }
        guard let new = spec(request.object), new != spec(request.old) else { return }
        request.call.warnings.add(warnings(new, path))
    }
}
