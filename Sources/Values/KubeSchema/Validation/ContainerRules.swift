import JSON

/// Rules for the containers of a pod (`validateContainers` in `pkg/apis/core/validation`).
struct ContainerRules {
    /// The volumes of the pod, and those that are claims and so may be devices.
    let volumes: Set<String>
    let usesHostNetwork: Bool

    func check(_ spec: Located, _ causes: inout Causes) {
        var names: Set<String> = []
        let containers = spec["containers"]
        if containers.isEmpty { causes.required(containers) }
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for container in spec[list].elements {
                check(container, isInit: list == "initContainers", isEphemeral: list == "ephemeralContainers", &causes)
                let name = container["name"]
                if !name.isEmpty, !names.insert(name.text).inserted { causes.duplicate(name) }
            }
        }
    }

    private func check(_ container: Located, isInit: Bool, isEphemeral: Bool, _ causes: inout Causes) {
        let name = container["name"]
        if name.isEmpty { causes.required(name) } else { causes.invalid(name, Names.dnsLabel(name.text)) }
        let image = container["image"]
        if image.isEmpty {
            causes.required(image)
        } else if image.text.first?.isWhitespace == true || image.text.last?.isWhitespace == true {
            causes.invalid(image, "must not have leading or trailing whitespace")
        }
        ports(container["ports"], &causes)
        environment(container, &causes)
        mounts(container, &causes)
        ResourceRules.check(container["resources"], &causes)
        SecurityRules.checkContainer(container["securityContext"], &causes)
        if !isEphemeral { RestartRules.check(container, &causes) }
        handlers(container, isInit: isInit, isEphemeral: isEphemeral, &causes)
    }

    // MARK: Ports and environment

    private func ports(_ ports: Located, _ causes: inout Causes) {
        var names: Set<String> = []
        for port in ports.elements {
            let name = port["name"]
            if !name.isEmpty {
                let problems = Names.portName(name.text)
                causes.invalid(name, problems)
                if problems.isEmpty, !names.insert(name.text).inserted { causes.duplicate(name) }
            }
            let number = port["containerPort"]
            if (number.integer ?? 0) == 0 { causes.required(number) } else { causes.inRange(number, 1...65535) }
            let hostPort = port["hostPort"]
            if hostPort.integer ?? 0 != 0 {
                causes.inRange(hostPort, 1...65535)
                if usesHostNetwork, hostPort.integer != number.integer {
                    causes.invalid(number, "must match `hostPort` when `hostNetwork` is true")
                }
            }
            if port["protocol"].exists, port["protocol"].isEmpty { causes.required(port["protocol"]) }
            if !port["hostIP"].isEmpty, !Addresses.isAddress(port["hostIP"].text) {
                causes.invalid(port["hostIP"], Addresses.problem)
            }
        }
    }

    private func environment(_ container: Located, _ causes: inout Causes) {
        for variable in container["env"].elements {
            let name = variable["name"]
            if name.isEmpty {
                causes.required(name)
            } else {
                causes.invalid(name, Names.environmentVariable(name.text))
            }
            source(variable, &causes)
        }
        for source in container["envFrom"].elements {
            if !source["prefix"].isEmpty {
                causes.invalid(source["prefix"], Names.environmentVariable(source["prefix"].text))
            }
            let named = ["configMapRef", "secretRef"].map { source[$0] }.filter(\.exists)
            for one in named where one["name"].isEmpty { causes.required(one["name"]) }
            if named.isEmpty { causes.invalid(source, "must specify one of: `configMapRef` or `secretRef`", value: "") }
            if named.count > 1 {
                causes.invalid(source, "may not have more than one field specified at a time", value: "")
            }
        }
    }

    private static let sources = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"]

    private func source(_ variable: Located, _ causes: inout Causes) {
        let from = variable["valueFrom"]
        guard from.exists else { return }
        let named = Self.sources.filter { from[$0].exists }
        if !variable["value"].isEmpty {
            if !named.isEmpty { causes.invalid(from, "may not be specified when `value` is not empty", value: "") }
        } else if named.isEmpty {
            let list = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
            causes.invalid(from, "must specify one of: \(list)", value: "")
        } else if named.count > 1 {
            causes.invalid(from, "may not have more than one field specified at a time", value: "")
        }
        for name in ["configMapKeyRef", "secretKeyRef"] where from[name].exists {
            if from[name]["name"].isEmpty { causes.required(from[name]["name"]) }
            let key = from[name]["key"]
            if key.isEmpty { causes.required(key) } else { causes.invalid(key, Names.configKey(key.text)) }
        }
        if from["fieldRef"].exists { DownwardRules.checkVariable(from["fieldRef"], &causes) }
        if from["resourceFieldRef"].exists, from["resourceFieldRef"]["resource"].isEmpty {
            causes.required(from["resourceFieldRef"]["resource"])
        }
    }

    // MARK: Mounts

    private func mounts(_ container: Located, _ causes: inout Causes) {
        var paths: Set<String> = []
        for mount in container["volumeMounts"].elements {
            let (name, path) = (mount["name"], mount["mountPath"])
            if name.isEmpty { causes.required(name) }
            if !name.isEmpty, !volumes.contains(name.text) { causes.notFound(name) }
            if path.isEmpty { causes.required(path) }
            if !path.isEmpty, !paths.insert(path.text).inserted { causes.invalid(path, "must be unique") }
            for field in ["subPath", "subPathExpr"] where !mount[field].isEmpty {
                VolumeRules.relativePath(mount[field], &causes)
            }
            if !mount["subPath"].isEmpty, !mount["subPathExpr"].isEmpty {
                causes.invalid(mount["subPathExpr"], "subPathExpr and subPath are mutually exclusive")
            }
        }
        for device in container["volumeDevices"].elements {
            let (name, path) = (device["name"], device["devicePath"])
            if name.isEmpty { causes.required(name) } else if !volumes.contains(name.text) { causes.notFound(name) }
            if path.isEmpty {
                causes.required(path)
            } else if !paths.insert(path.text).inserted {
                causes.invalid(path, "must be unique")
            }
        }
    }

    // MARK: Probes and hooks

    private func handlers(_ container: Located, isInit: Bool, isEphemeral: Bool, _ causes: inout Causes) {
        let probes = ["livenessProbe", "readinessProbe", "startupProbe"]
        let isSidecar = isInit && container["restartPolicy"].text == "Always"
        if isEphemeral {
            for field in probes + ["lifecycle", "ports", "resources", "restartPolicyRules"]
            where !container[field].isEmpty {
                causes.forbidden(container[field], "cannot be set for an Ephemeral Container")
            }
            return
        }
        if isInit, !isSidecar {
            for field in probes + ["lifecycle"] where container[field].exists {
                causes.forbidden(container[field], "may not be set for init containers without restartPolicy=Always")
            }
            return
        }
        for field in probes where container[field].exists {
            ProbeRules.check(container[field], isReadiness: field == "readinessProbe", &causes)
        }
        for hook in ["postStart", "preStop"] where container["lifecycle"][hook].exists {
            ProbeRules.checkHandler(container["lifecycle"][hook], ProbeRules.hookHandlers, &causes)
        }
    }
}
