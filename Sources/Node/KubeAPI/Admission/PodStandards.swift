import JSON

/// What of a pod the Pod Security Standards do not allow, in the words of pod-security-admission/policy. Pure.
///
/// Invariant: whatever `baseline` refuses `restricted` refuses too. (test: `the stricter standard refuses more`)
struct PodStandards {
    private let spec: JSONValue
    private let annotations: JSONValue?
    private let containers: [JSONValue]

    private init(_ pod: JSONValue) {
        spec = pod["spec"] ?? [:]
        annotations = pod["metadata", "annotations"]
        containers = PodTemplates.containers(spec, ["initContainers", "containers", "ephemeralContainers"])
    }

    private struct Problem {
        var id: String
        var reason: String
        var detail: String
    }

    /// Empty when all is allowed: `privileged (container "c" must not set securityContext.privileged=true), ...`
    static func problems(_ pod: JSONValue, _ level: PodSecurity.Level) -> String {
        let standards = PodStandards(pod)
        var problems = standards.baseline
        if level == .restricted {
            let stricter = standards.restricted
            let replaced: Set<String> = ["capabilities_baseline", "hostPathVolumes", "seccompProfile_baseline"]
            problems = (problems.filter { !replaced.contains($0.id) } + stricter)
        }
        guard level != .privileged else { return "" }
        return problems.map { "\($0.reason) (\($0.detail))" }.joined(separator: ", ")
    }

    // MARK: Words

    private func names(_ containers: [JSONValue]) -> String {
        let names = containers.map { ($0["name"]?.string ?? "").goQuoted }.joined(separator: ", ")
        return (containers.count == 1 ? "container " : "containers ") + names
    }

    private func list(_ texts: [String]) -> String {
        Set(texts).sorted().map(\.goQuoted).joined(separator: ", ")
    }

    private func those(_ holds: (JSONValue) -> Bool) -> [JSONValue] { containers.filter(holds) }

    private func context(_ container: JSONValue, _ field: String) -> JSONValue? { container["securityContext", field] }

    // MARK: Baseline

    private var baseline: [Problem] {
        [
            appArmor,
            addedCapabilities(allowed: Self.usualCapabilities, id: "capabilities_baseline", "non-default capabilities"),
            hostNamespaces, hostPaths, hostPorts, hostProbes, privileged, procMount, seLinux, unconfinedSeccomp,
            sysctls,
            hostProcess,
        ].compactMap(\.self)
    }

    private var appArmor: Problem? {
        func isForbidden(_ context: JSONValue?) -> Bool { context?["appArmorProfile", "type"] == "Unconfined" }
        var details: [String] = []
        if isForbidden(spec["securityContext"]) {
            details.append("pod must not set AppArmor profile type to \"Unconfined\"")
        }
        let bad = those { isForbidden($0["securityContext"]) }
        if !bad.isEmpty { details.append("\(names(bad)) must not set AppArmor profile type to \"Unconfined\"") }
        let prefix = "container.apparmor.security.beta.kubernetes.io/"
        let forbidden = (annotations?.object?.members ?? []).filter { member in
            let value = member.value.string ?? ""
            return member.key.hasPrefix(prefix) && !value.isEmpty && value != "runtime/default"
                && !value.hasPrefix("localhost/")
        }
        for member in forbidden {
            details.append("annotation \("\(member.key)=\(member.value.string ?? "")".goQuoted)")
        }
        return details.isEmpty
            ? nil
            : Problem(
                id: "appArmorProfile",
                reason: details.count == 1 ? "forbidden AppArmor profile" : "forbidden AppArmor profiles",
                detail: details.joined(separator: ", "))
    }

    private static let usualCapabilities: Set<String> = [
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    ]

    private func addedCapabilities(allowed: Set<String>, id: String, _ reason: String) -> Problem? {
        func added(_ container: JSONValue) -> [String] {
            (container["securityContext", "capabilities", "add"]?.array ?? []).compactMap(\.string).filter {
                !allowed.contains($0)
            }
        }
        let bad = those { !added($0).isEmpty }
        guard !bad.isEmpty else { return nil }
        return Problem(
            id: id, reason: reason,
            detail: "\(names(bad)) must not include \(list(bad.flatMap(added))) in securityContext.capabilities.add")
    }

    private var hostNamespaces: Problem? {
        let set = ["hostNetwork", "hostPID", "hostIPC"].filter { spec[$0]?.bool == true }.map { "\($0)=true" }
        return set.isEmpty
            ? nil : Problem(id: "hostNamespaces", reason: "host namespaces", detail: set.joined(separator: ", "))
    }

    private var hostPaths: Problem? {
        let bad = (spec["volumes"]?.array ?? []).filter { $0["hostPath"] != nil }.map {
            ($0["name"]?.string ?? "").goQuoted
        }
        guard !bad.isEmpty else { return nil }
        return Problem(
            id: "hostPathVolumes", reason: "hostPath volumes",
            detail: (bad.count == 1 ? "volume " : "volumes ") + bad.joined(separator: ", "))
    }

    private var hostPorts: Problem? {
        func ports(_ container: JSONValue) -> [Int64] {
            (container["ports"]?.array ?? []).compactMap { $0["hostPort"]?.integer }.filter { $0 != 0 }
        }
        let bad = those { !ports($0).isEmpty }
        guard !bad.isEmpty else { return nil }
        let all = Set(bad.flatMap(ports)).sorted().map(String.init)
        return Problem(
            id: "hostPorts", reason: "hostPort",
            detail: "\(names(bad)) \(bad.count == 1 ? "uses" : "use") \(all.count == 1 ? "hostPort" : "hostPorts") "
                + all.joined(separator: ", "))
    }

    /// Probes and hooks that speak to another host than the pod's.
    private var hostProbes: Problem? {
        func hosts(_ container: JSONValue) -> [String] {
            let places = [
                container["livenessProbe"], container["readinessProbe"], container["startupProbe"],
                container["lifecycle", "postStart"], container["lifecycle", "preStop"],
            ]
            return places.flatMap { place in [place?["httpGet", "host"], place?["tcpSocket", "host"]] }
                .compactMap { $0?.string }.filter { !["", "127.0.0.1", "::1"].contains($0) }
        }
        let bad = those { !hosts($0).isEmpty }
        guard !bad.isEmpty else { return nil }
        return Problem(
            id: "hostProbesAndHostLifecycle", reason: "probe or lifecycle host",
            detail:
                "\(names(bad)) \(bad.count == 1 ? "uses" : "use") probe or lifecycle \(bad.flatMap(hosts).count == 1 ? "host" : "hosts") "
                + list(bad.flatMap(hosts)))
    }

    private var privileged: Problem? {
        let bad = those { context($0, "privileged")?.bool == true }
        return bad.isEmpty
            ? nil
            : Problem(
                id: "privileged", reason: "privileged",
                detail: "\(names(bad)) must not set securityContext.privileged=true")
    }

    private var procMount: Problem? {
        func mount(_ container: JSONValue) -> String { context(container, "procMount")?.string ?? "Default" }
        let bad = those { mount($0) != "Default" }
        return bad.isEmpty
            ? nil
            : Problem(
                id: "procMount", reason: "procMount",
                detail: "\(names(bad)) must not set securityContext.procMount to \(list(bad.map(mount)))")
    }

    private static let seLinuxTypes: Set<String> = [
        "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t",
    ]

    private var seLinux: Problem? {
        func options(_ holder: JSONValue) -> JSONValue? { holder["securityContext", "seLinuxOptions"] }
        func isBad(_ options: JSONValue?) -> Bool {
            guard let options else { return false }
            return !Self.seLinuxTypes.contains(options["type"]?.string ?? "")
                || options["user"]?.string?.isEmpty == false
                || options["role"]?.string?.isEmpty == false
        }
        let bad = those { isBad(options($0)) }
        let isPodBad = isBad(options(spec))
        guard isPodBad || !bad.isEmpty else { return nil }
        let all = (isPodBad ? [spec] : []) + bad
        var details: [String] = []
        let types = all.compactMap { options($0)?["type"]?.string }.filter { !Self.seLinuxTypes.contains($0) }
        if !types.isEmpty { details.append((types.count == 1 ? "type " : "types ") + list(types)) }
        for field in ["user", "role"] where all.contains(where: { options($0)?[field]?.string?.isEmpty == false }) {
            details.append("\(field) may not be set")
        }
        let who = [isPodBad ? "pod" : nil, bad.isEmpty ? nil : names(bad)].compactMap(\.self).joined(separator: " and ")
        let verb = isPodBad && bad.isEmpty || !isPodBad && bad.count == 1 ? "sets" : "set"
        return Problem(
            id: "seLinuxOptions", reason: "seLinuxOptions",
            detail: "\(who) \(verb) forbidden securityContext.seLinuxOptions: \(details.joined(separator: "; "))")
    }

    private var unconfinedSeccomp: Problem? {
        seccomp(isForbidden: { $0 == "Unconfined" }, id: "seccompProfile_baseline")
    }

    private func seccomp(isForbidden: (String) -> Bool, id: String) -> Problem? {
        func type(_ holder: JSONValue) -> String? { holder["securityContext", "seccompProfile", "type"]?.string }
        var details: [String] = []
        if let podType = type(spec), isForbidden(podType) {
            details.append("pod must not set securityContext.seccompProfile.type to \(podType.goQuoted)")
        }
        let bad = those { type($0).map(isForbidden) ?? false }
        if !bad.isEmpty {
            details.append(
                "\(names(bad)) must not set securityContext.seccompProfile.type to \(list(bad.compactMap(type)))")
        }
        return details.isEmpty
            ? nil : Problem(id: id, reason: "seccompProfile", detail: details.joined(separator: ", "))
    }

    private static let safeSysctls: Set<String> = [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    ]

    private var sysctls: Problem? {
        let bad = (spec["securityContext", "sysctls"]?.array ?? []).compactMap { $0["name"]?.string }.filter {
            !Self.safeSysctls.contains($0)
        }
        return bad.isEmpty
            ? nil : Problem(id: "sysctls", reason: "forbidden sysctls", detail: bad.joined(separator: ", "))
    }

    private var hostProcess: Problem? {
        func isHost(_ holder: JSONValue) -> Bool {
            holder["securityContext", "windowsOptions", "hostProcess"]?.bool == true
        }
        let bad = those(isHost)
        let who = [isHost(spec) ? "pod" : nil, bad.isEmpty ? nil : names(bad)].compactMap(\.self)
        return who.isEmpty
            ? nil
            : Problem(
                id: "windowsHostProcess", reason: "hostProcess",
                detail: "\(who.joined(separator: " and ")) must not set securityContext.windowsOptions.hostProcess=true"
            )
    }

    // MARK: Restricted

    private var restricted: [Problem] {
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
