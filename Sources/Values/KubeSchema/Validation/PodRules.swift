import JSON

/// Rules for the spec of a pod, alone or in a template (`ValidatePodSpec`).
enum PodRules {
    static func template(_ template: Located, _ schema: Schema, _ causes: inout Causes) {
        MetadataRules.checkCommon(template["metadata"], &causes)
        check(template["spec"], schema, &causes)
    }

    static func check(_ spec: Located, _ schema: Schema, _ causes: inout Causes) {
        VolumeRules.check(spec["volumes"], schema, &causes)
        let volumes = Set(spec["volumes"].elements.map { $0["name"].text })
        ContainerRules(volumes: volumes, usesHostNetwork: spec["hostNetwork"].isTrue).check(spec, &causes)
        times(spec, &causes)
        names(spec, &causes)
        SecurityRules.checkPod(spec["securityContext"], &causes)
        MetadataRules.labels(spec["nodeSelector"], &causes)
        tolerations(spec["tolerations"], &causes)
        for alias in spec["hostAliases"].elements {
            if !Addresses.isAddress(alias["ip"].text) {
                causes.invalid(alias["ip"], Addresses.problem, value: .string(alias["ip"].text))
            }
            for name in alias["hostnames"].elements { causes.invalid(name, Names.dnsSubdomain(name.text)) }
        }
        dns(spec, &causes)
        affinity(spec["affinity"], &causes)
        spread(spec["topologySpreadConstraints"], &causes)
        if spec["shareProcessNamespace"].isTrue, spec["hostPID"].isTrue {
            causes.invalid(spec["shareProcessNamespace"], "ShareProcessNamespace and HostPID cannot both be enabled")
        }
    }

    private static func times(_ spec: Located, _ causes: inout Causes) {
        causes.inRange(spec["activeDeadlineSeconds"], 1...Int64(Int32.max))
        causes.nonNegative(spec["terminationGracePeriodSeconds"])
    }

    private static func names(_ spec: Located, _ causes: inout Causes) {
        for field in ["serviceAccountName", "nodeName", "runtimeClassName", "priorityClassName"]
        where !spec[field].isEmpty {
            causes.invalid(spec[field], Names.dnsSubdomain(spec[field].text))
        }
        for field in ["hostname", "subdomain"] where !spec[field].isEmpty {
            causes.invalid(spec[field], Names.dnsLabel(spec[field].text))
        }
        for gate in spec["readinessGates"].elements {
            causes.invalid(gate["conditionType"], Names.labelKey(gate["conditionType"].text))
        }
        var gates: Set<String> = []
        for gate in spec["schedulingGates"].elements {
            causes.invalid(gate, Names.labelKey(gate["name"].text), value: .string(gate["name"].text))
            if !gates.insert(gate["name"].text).inserted { causes.duplicate(gate, .string(gate["name"].text)) }
        }
    }

    private static func tolerations(_ tolerations: Located, _ causes: inout Causes) {
        for toleration in tolerations.elements {
            let (key, mark) = (toleration["key"], toleration["operator"].text)
            if !key.isEmpty { causes.invalid(key, Names.labelKey(key.text)) }
            if key.isEmpty, mark != "Exists" {
                causes.invalid(
                    toleration["operator"],
                    "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
                    value: .string(mark))
            }
            if toleration["tolerationSeconds"].exists, toleration["effect"].text != "NoExecute" {
                causes.invalid(
                    toleration["effect"], "effect must be 'NoExecute' when `tolerationSeconds` is set",
                    value: .string(toleration["effect"].text))
            }
            if mark == "Exists", !toleration["value"].isEmpty {
                causes.invalid(
                    toleration, "value must be empty when `operator` is 'Exists'", value: toleration["value"].json)
            } else if mark.isEmpty || mark == "Equal" {
                causes.invalid(
                    toleration["operator"], Names.labelValue(toleration["value"].text),
                    value: .string(toleration["value"].text))
            }
        }
    }

    private static func dns(_ spec: Located, _ causes: inout Causes) {
        let config = spec["dnsConfig"]
        let servers = config["nameservers"].elements
        if spec["dnsPolicy"].text == "None" {
            if !config.exists {
                causes.required(config, "must provide `dnsConfig` when `dnsPolicy` is None")
            } else if servers.isEmpty {
                causes.required(
                    config["nameservers"], "must provide at least one DNS nameserver when `dnsPolicy` is None")
            }
        }
        if servers.count > 3 { causes.invalid(config["nameservers"], "must not have more than 3 nameservers") }
        for server in servers where !Addresses.isAddress(server.text) { causes.invalid(server, Addresses.problem) }
        let searches = config["searches"].elements
        if searches.count > 32 { causes.invalid(config["searches"], "must not have more than 32 search paths") }
        for option in config["options"].elements where option["name"].isEmpty {
            causes.required(option["name"], "must not be empty")
        }
    }

    private static func affinity(_ affinity: Located, _ causes: inout Causes) {
        let (required, preferred) = (
            "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
        )
        let node = affinity["nodeAffinity"]
        if node[required].exists, node[required]["nodeSelectorTerms"].isEmpty {
            causes.required(node[required]["nodeSelectorTerms"], "must have at least one node selector term")
        }
        for term in node[preferred].elements {
            causes.inRange(Located(term["weight"].json ?? 0, term["weight"].path), 1...100)
        }
        for kind in ["podAffinity", "podAntiAffinity"] {
            for term in affinity[kind][required].elements { podTerm(term, &causes) }
            for term in affinity[kind][preferred].elements {
                causes.inRange(Located(term["weight"].json ?? 0, term["weight"].path), 1...100)
                podTerm(term["podAffinityTerm"], &causes)
            }
        }
    }

    private static func podTerm(_ term: Located, _ causes: inout Causes) {
        SelectorRules.check(term["labelSelector"], &causes)
        SelectorRules.check(term["namespaceSelector"], &causes)
        let key = term["topologyKey"]
        if key.isEmpty {
            causes.required(key, "can not be empty")
        } else {
            causes.invalid(key, Names.labelKey(key.text))
        }
    }

    private static func spread(_ constraints: Located, _ causes: inout Causes) {
        var seen: Set<[String]> = []
        for constraint in constraints.elements {
            if (constraint["maxSkew"].integer ?? 0) <= 0 {
                causes.invalid(
                    constraint["maxSkew"], "must be greater than zero", value: constraint["maxSkew"].json ?? 0)
            }
            if constraint["topologyKey"].isEmpty { causes.required(constraint["topologyKey"], "can not be empty") }
            if constraint["whenUnsatisfiable"].isEmpty {
                causes.notSupported(constraint["whenUnsatisfiable"], ["DoNotSchedule", "ScheduleAnyway"])
            }
            let pair = [constraint["topologyKey"].text, constraint["whenUnsatisfiable"].text]
            if !seen.insert(pair).inserted {
                causes.duplicate(
                    Located(constraint.json, constraint.path.child("{topologyKey, whenUnsatisfiable}")),
                    .string("{\(pair[0]), \(pair[1])}"))
            }
            SelectorRules.check(constraint["labelSelector"], &causes)
        }
    }
}
