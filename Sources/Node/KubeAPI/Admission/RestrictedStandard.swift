import JSON

/// What `restricted` does not allow besides: all that is not good practice.
extension PodStandards {
    var restricted: [Problem] {
        [
            escalation, droppedCapabilities, volumes, runAsNonRoot, runAsUser, confinedSeccomp,
        ].compactMap(\.self)
    }

    private var escalation: Problem? {
        let bad = those { context($0, "allowPrivilegeEscalation")?.bool != false }
        return bad.isEmpty
            ? nil
            : Problem(
                id: "allowPrivilegeEscalation", reason: "allowPrivilegeEscalation != false",
                detail: "\(names(bad)) must set securityContext.allowPrivilegeEscalation=false")
    }

    private var droppedCapabilities: Problem? {
        var details: [String] = []
        let keeping = those { container in
            !(container["securityContext", "capabilities", "drop"]?.array ?? []).contains("ALL")
        }
        if !keeping.isEmpty {
            details.append("\(names(keeping)) must set securityContext.capabilities.drop=[\"ALL\"]")
        }
        if let added = addedCapabilities(allowed: ["NET_BIND_SERVICE"], id: "", "") { details.append(added.detail) }
        return details.isEmpty
            ? nil
            : Problem(
                id: "capabilities_restricted", reason: "unrestricted capabilities",
                detail: details.joined(separator: "; "))
    }

    private static let allowedVolumes: Set<String> = [
        "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
        "image",
    ]

    private var volumes: Problem? {
        func type(_ volume: JSONValue) -> String? { volume.object?.keys.first { $0 != "name" } }
        let bad = (spec["volumes"]?.array ?? []).filter { volume in
            type(volume).map { !Self.allowedVolumes.contains($0) } ?? false
        }
        guard !bad.isEmpty else { return nil }
        let names = bad.map { ($0["name"]?.string ?? "").goQuoted }.joined(separator: ", ")
        let types = Set(bad.compactMap(type))
        return Problem(
            id: "restrictedVolumes", reason: "restricted volume types",
            detail:
                "\(bad.count == 1 ? "volume" : "volumes") \(names) \(bad.count == 1 ? "uses" : "use") restricted volume "
                + "\(types.count == 1 ? "type" : "types") \(list(Array(types)))")
    }

    private var runAsNonRoot: Problem? {
        let whole = spec["securityContext", "runAsNonRoot"]?.bool
        let root = those { context($0, "runAsNonRoot")?.bool == false }
        var details: [String] = []
        if whole == false { details.append("pod must not set securityContext.runAsNonRoot=false") }
        if !root.isEmpty { details.append("\(names(root)) must not set securityContext.runAsNonRoot=false") }
        if details.isEmpty, whole == nil {
            let silent = those { context($0, "runAsNonRoot") == nil }
            if !silent.isEmpty { details.append("pod or \(names(silent)) must set securityContext.runAsNonRoot=true") }
        }
        return details.isEmpty
            ? nil : Problem(id: "runAsNonRoot", reason: "runAsNonRoot != true", detail: details.joined(separator: ", "))
    }

    private var runAsUser: Problem? {
        var details: [String] = []
        if spec["securityContext", "runAsUser"]?.integer == 0 { details.append("pod must not set runAsUser=0") }
        let bad = those { context($0, "runAsUser")?.integer == 0 }
        if !bad.isEmpty { details.append("\(names(bad)) must not set runAsUser=0") }
        return details.isEmpty
            ? nil : Problem(id: "runAsUser", reason: "runAsUser=0", detail: details.joined(separator: ", "))
    }

    private var confinedSeccomp: Problem? {
        let allowed: Set<String> = ["RuntimeDefault", "Localhost"]
        if let bad = seccomp(isForbidden: { !allowed.contains($0) }, id: "seccompProfile_restricted") { return bad }
        guard spec["securityContext", "seccompProfile", "type"] == nil else { return nil }
        let silent = those { context($0, "seccompProfile") == nil }
        return silent.isEmpty
            ? nil
            : Problem(
                id: "seccompProfile_restricted", reason: "seccompProfile",
                detail: "pod or \(names(silent)) must set securityContext.seccompProfile.type to \"RuntimeDefault\" or "
                    + "\"Localhost\"")
    }
}
