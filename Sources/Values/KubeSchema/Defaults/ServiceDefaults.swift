import JSON

/// Defaults of services and what else is about traffic. Addresses and IP families are given by the allocator.
enum ServiceDefaults {
    static func service(_ object: inout JSONValue) {
        object.update("spec") { spec in
            spec.fill("sessionAffinity", "None", emptyToo: true)
            spec.fill("type", "ClusterIP", emptyToo: true)
            if spec["sessionAffinity"] == "ClientIP" {
                spec["sessionAffinityConfig", default: [:]]["clientIP", default: [:]].fill("timeoutSeconds", 10800)
            } else {
                spec["sessionAffinityConfig"] = nil
            }
            spec.update("ports") { ports in
                ports.updateElements { port in
                    guard let number = port["port"] else { return }
                    if [nil, 0, ""].contains(port["targetPort"]) { port["targetPort"] = number }
                }
            }
            let type = spec["type"]?.string
            if type == "NodePort" || type == "LoadBalancer" {
                spec.fill("externalTrafficPolicy", "Cluster", emptyToo: true)
            }
            if type != "ExternalName" { spec.fill("internalTrafficPolicy", "Cluster") }
            if type == "LoadBalancer" { spec.fill("allocateLoadBalancerNodePorts", true) }
        }
    }

    static func endpointSlice(_ object: inout JSONValue) {
        object.update("ports") { ports in
            ports.updateElements { port in
                port.fill("name", "")
                port.fill("protocol", "TCP")
            }
        }
    }

    static func networkPolicy(_ object: inout JSONValue) {
        object.update("spec") { spec in
            for direction in ["ingress", "egress"] {
                spec.update(direction) { rules in
                    rules.updateElements { rule in
                        rule.update("ports") { ports in ports.updateElements { $0.fill("protocol", "TCP") } }
                    }
                }
            }
            if spec["policyTypes"]?.array?.isEmpty ?? true {
                spec["policyTypes"] = spec["egress"]?.array?.isEmpty == false ? ["Ingress", "Egress"] : ["Ingress"]
            }
        }
    }
}
