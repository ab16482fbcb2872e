import JSON

/// Rules for ingresses, network policies and endpoint slices.
enum NetworkRules {
    static func ingress(_ spec: Located, _ causes: inout Causes) {
        if spec["rules"].isEmpty, !spec["defaultBackend"].exists {
            causes.invalid(spec, "either `defaultBackend` or `rules` must be specified")
        }
        if spec["defaultBackend"].exists { backend(spec["defaultBackend"], &causes) }
        for rule in spec["rules"].elements {
            host(rule["host"], &causes)
            guard rule["http"].exists else { continue }
            if rule["http"]["paths"].isEmpty { causes.required(rule["http"]["paths"]) }
            for path in rule["http"]["paths"].elements { self.path(path, &causes) }
        }
        for tls in spec["tls"].elements { for name in tls["hosts"].elements { host(name, &causes) } }
        let className = spec["ingressClassName"]
        if !className.isEmpty { causes.invalid(className, Names.dnsSubdomain(className.text)) }
    }

    private static func host(_ host: Located, _ causes: inout Causes) {
        guard !host.isEmpty else { return }
        if Addresses.isAddress(host.text) { return causes.invalid(host, "must be a DNS name, not an IP address") }
        if host.text.contains("*") {
            let rest = host.text.hasPrefix("*.") ? String(host.text.dropFirst(2)) : ""
            if !Names.isSubdomain(rest) {
                causes.invalid(
                    host,
                    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
                        + "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
                        + Names.hint(
                            #"\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"#, "*.example.com"))
            }
            return
        }
        causes.invalid(host, Names.dnsSubdomain(host.text))
    }

    private static func path(_ path: Located, _ causes: inout Causes) {
        let (type, text) = (path["pathType"], path["path"])
        switch type.text {
        case "": causes.required(type, "pathType must be specified")
        case "Exact", "Prefix":
            if !text.text.hasPrefix("/") { causes.invalid(text, "must be an absolute path", value: .string(text.text)) }
            for wrong in ["//", "/./", "/../", "%2f", "%2F"] where text.text.contains(wrong) {
                causes.invalid(text, "must not contain '\(wrong)'")
            }
            for wrong in ["/..", "/."] where text.text.hasSuffix(wrong) {
                causes.invalid(text, "cannot end with '\(wrong)'")
            }
        case "ImplementationSpecific":
            if !text.isEmpty, !text.text.hasPrefix("/") { causes.invalid(text, "must be an absolute path") }
        default: causes.notSupported(type, ["Exact", "ImplementationSpecific", "Prefix"])
        }
        backend(path["backend"], &causes)
    }

    private static func backend(_ backend: Located, _ causes: inout Causes) {
        let (service, resource) = (backend["service"], backend["resource"])
        if service.exists, resource.exists {
            return causes.invalid(backend, "cannot set both resource and service backends", value: "")
        }
        guard service.exists else {
            if !resource.exists { causes.required(backend, "resource or service backend is required") }
            return
        }
        let (name, port) = (service["name"], service["port"])
        if name.isEmpty { causes.required(name) } else { causes.invalid(name, Names.dns1035Label(name.text)) }
        let hasNumber = port["number"].integer ?? 0 != 0
        if !port["name"].isEmpty, hasNumber {
            causes.invalid(backend, "cannot set both port name & port number", value: "")
        } else if !port["name"].isEmpty {
            causes.invalid(port["name"], Names.portName(port["name"].text))
        } else if hasNumber {
            causes.inRange(port["number"], 1...65535)
        } else {
            causes.required(backend, "port name or number is required")
        }
    }

    static func policy(_ spec: Located, _ causes: inout Causes) {
        SelectorRules.check(spec["podSelector"], &causes)
        for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
            for rule in spec[direction].elements {
                for port in rule["ports"].elements { policyPort(port, &causes) }
                for peer in rule[peers].elements { self.peer(peer, &causes) }
            }
        }
    }

    private static func policyPort(_ port: Located, _ causes: inout Causes) {
        let (first, last) = (port["port"], port["endPort"])
        if first.exists { ProbeRules.port(first, &causes) }
        guard let end = last.integer else { return }
        if first.json?.string != nil {
            causes.invalid(last, "may not be specified when `port` is non-numeric")
        } else if let start = first.integer {
            if end < start { causes.invalid(last, "must be greater than or equal to `port`") }
            causes.inRange(last, 1...65535)
        } else {
            causes.invalid(last, "may not be specified when `port` is not specified")
        }
    }

    private static func peer(_ peer: Located, _ causes: inout Causes) {
        let selectors = ["podSelector", "namespaceSelector"].map { peer[$0] }.filter(\.exists)
        for selector in selectors { SelectorRules.check(selector, &causes) }
        let block = peer["ipBlock"]
        if selectors.isEmpty, !block.exists { causes.required(peer, "must specify a peer") }
        guard block.exists else { return }
        if !selectors.isEmpty { causes.forbidden(peer, "may not specify both ipBlock and another peer") }
        let range = block["cidr"]
        if range.isEmpty {
            causes.required(range)
        } else if !Addresses.isRange(range.text) {
            causes.invalid(range, Addresses.rangeProblem)
        }
        for part in block["except"].elements where !Addresses.isRange(part.text) {
            causes.invalid(part, Addresses.rangeProblem)
        }
    }

    static func endpointSlice(_ object: Located, _ causes: inout Causes) {
        let type = object["addressType"]
        switch type.text {
        case "": causes.required(type)
        case "IPv4", "IPv6", "FQDN": break
        default: causes.notSupported(type, ["FQDN", "IPv4", "IPv6"])
        }
        let endpoints = object["endpoints"].elements
        if endpoints.count > 1000 {
            causes.invalid(object["endpoints"], "must have at most 1000 items", value: .integer(Int64(endpoints.count)))
        }
        for endpoint in endpoints {
            if endpoint["addresses"].isEmpty {
                causes.required(endpoint["addresses"], "must contain at least 1 address")
            }
            for address in endpoint["addresses"].elements {
                if type.text == "IPv4", !Addresses.isIPv4(address.text) {
                    causes.invalid(address, "must be an IPv4 address")
                }
                if type.text == "IPv6", !Addresses.isIPv6(address.text) {
                    causes.invalid(address, "must be an IPv6 address")
                }
            }
        }
    }
}
