import JSON

/// Rules for services (`ValidateService`).
enum ServiceRules {
    static func check(_ spec: Located, _ causes: inout Causes) {
        let type = spec["type"].text
        let isHeadless = spec["clusterIP"].text == "None"
        if spec["ports"].isEmpty, !isHeadless, type != "ExternalName" { causes.required(spec["ports"]) }
        if isHeadless, type == "NodePort" || type == "LoadBalancer" {
            causes.invalid(
                Located("None", spec["clusterIPs"].path.index(0)), "may not be set to 'None' for \(type) services")
        }
        ports(spec["ports"], type, &causes)
        MetadataRules.labels(spec["selector"], &causes)
        addresses(spec, type, &causes)
        if type == "ExternalName" { externalName(spec, &causes) }
        affinity(spec, &causes)
        traffic(spec, type, &causes)
    }

    private static func ports(_ ports: Located, _ type: String, _ causes: inout Causes) {
        let elements = ports.elements
        var names: Set<String> = []
        var seen: Set<[String]> = []
        var nodePorts: Set<[String]> = []
        for port in elements {
            let name = port["name"]
            if name.isEmpty {
                if elements.count > 1 { causes.required(name) }
            } else {
                causes.invalid(name, Names.dnsLabel(name.text))
                if !names.insert(name.text).inserted { causes.duplicate(name) }
            }
            causes.inRange(Located(port["port"].json ?? 0, port["port"].path), 1...65535)
            if port["protocol"].isEmpty { causes.required(port["protocol"]) }
            if port["targetPort"].exists { ProbeRules.port(port["targetPort"], &causes) }
            let nodePort = port["nodePort"]
            if type != "NodePort", type != "LoadBalancer", nodePort.integer ?? 0 != 0 {
                causes.forbidden(nodePort, "may not be used when `type` is '\(type)'")
            }
            let proto = port["protocol"].text
            let key = [String(port["port"].integer ?? 0), proto]
            if !seen.insert(key).inserted {
                causes.duplicate(port, ["protocol": .string(proto), "port": port["port"].json ?? 0])
            }
            if let number = nodePort.integer, number != 0, !nodePorts.insert([String(number), proto]).inserted {
                causes.duplicate(nodePort)
            }
        }
    }

    private static func addresses(_ spec: Located, _ type: String, _ causes: inout Causes) {
        let (single, several) = (spec["clusterIP"], spec["clusterIPs"])
        if type == "ExternalName" {
            if !single.isEmpty { causes.forbidden(several, "may not be set when `type` is 'ExternalName'") }
        } else if !single.isEmpty, single.text != "None", !Addresses.isAddress(single.text) {
            causes.invalid(Located(single.json, several.path.index(0)), Addresses.problem)
        }
        if let first = several.elements.first, first.text != single.text {
            causes.invalid(several, "first value must match `clusterIP`", value: several.json)
        }
        for address in spec["externalIPs"].elements where !Addresses.isAddress(address.text) {
            causes.invalid(address, Addresses.problem)
        }
        for range in spec["loadBalancerSourceRanges"].elements where !Addresses.isRange(range.text) {
            causes.invalid(range, Addresses.rangeProblem)
        }
    }

    private static func externalName(_ spec: Located, _ causes: inout Causes) {
        let name = spec["externalName"]
        var text = name.text
        if text.hasSuffix(".") { text.removeLast() }
        if text.isEmpty { causes.required(name) } else { causes.invalid(name, Names.dnsSubdomain(text)) }
    }

    private static func affinity(_ spec: Located, _ causes: inout Causes) {
        if spec["sessionAffinity"].isEmpty { causes.required(spec["sessionAffinity"]) }
        let config = spec["sessionAffinityConfig"]
        if spec["sessionAffinity"].text == "ClientIP" {
            let timeout = config["clientIP"]["timeoutSeconds"]
            guard let seconds = timeout.integer else {
                return causes.required(config, "when session affinity type is ClientIP")
            }
            if !(1...86400).contains(seconds) { causes.invalid(timeout, "must be greater than 0 and less than 86400") }
        } else if config.exists {
            causes.forbidden(config, "must not be set when session affinity is None")
        }
    }

    private static func traffic(_ spec: Located, _ type: String, _ causes: inout Causes) {
        let policy = spec["externalTrafficPolicy"]
        let isExternal = type == "NodePort" || type == "LoadBalancer" || !spec["externalIPs"].isEmpty
        if !policy.isEmpty, !isExternal {
            causes.invalid(policy, "may only be set for externally-accessible services")
        }
        if type != "LoadBalancer" {
            for field in ["loadBalancerClass", "allocateLoadBalancerNodePorts"] where spec[field].exists {
                causes.forbidden(spec[field], "may only be used when `type` is 'LoadBalancer'")
            }
        }
    }
}
