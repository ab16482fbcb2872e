import JSON

/// What `baseline` does not allow: known ways to more rights.
extension PodStandards {
    var baseline: [Problem] {
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

    func addedCapabilities(allowed: Set<String>, id: String, _ reason: String) -> Problem? {
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
        let all = bad.flatMap(hosts)
        let verb = bad.count == 1 ? "uses" : "use"
        return Problem(
            id: "hostProbesAndHostLifecycle", reason: "probe or lifecycle host",
            detail: "\(names(bad)) \(verb) probe or lifecycle \(all.count == 1 ? "host" : "hosts") \(list(all))")
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

    func seccomp(isForbidden: (String) -> Bool, id: String) -> Problem? {
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
}
