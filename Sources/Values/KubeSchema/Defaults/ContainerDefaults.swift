import JSON

/// Defaults of containers (`SetDefaults_Container`, `SetDefaults_Probe` and others).
enum ContainerDefaults {
    /// Where containers stand in a pod's spec.
    static let lists = ["initContainers", "containers", "ephemeralContainers"]

    static func container(_ container: inout JSONValue) {
        let image = container["image"]?.string ?? ""
        container.fill("imagePullPolicy", isLatest(image) ? "Always" : "IfNotPresent", emptyToo: true)
        container.fill("terminationMessagePath", "/dev/termination-log", emptyToo: true)
        container.fill("terminationMessagePolicy", "File", emptyToo: true)
        container.fill("resources", [:])
        for name in ["livenessProbe", "readinessProbe", "startupProbe"] { container.update(name, probe) }
        container.update("lifecycle") { lifecycle in
            for name in ["postStart", "preStop"] { lifecycle.update(name, handler) }
        }
        container.update("env") { variables in
            variables.updateElements { variable in
                variable.update("valueFrom") { source in
                    source.update("fieldRef") { $0.fill("apiVersion", "v1", emptyToo: true) }
                    source.update("resourceFieldRef") { $0.fill("divisor", "0") }
                }
            }
        }
    }

    /// Requests that are not named are the limits.
    static func requestsFromLimits(_ container: inout JSONValue) {
        container.update("resources") { resources in resources.fillMap("requests", from: resources["limits"]) }
    }

    /// On the node's network the port of the container is the port of the node.
    static func hostPorts(_ container: inout JSONValue) {
        container.update("ports") { ports in
            ports.updateElements { port in
                guard let number = port["containerPort"] else { return }
                if port["hostPort"] == nil || port["hostPort"] == 0 { port["hostPort"] = number }
            }
        }
    }

    /// Whether an image is fetched again by default: its tag is "latest", or it has neither tag nor digest.
    static func isLatest(_ image: String) -> Bool {
        if image.utf8.contains(UInt8(ascii: "@")) { return false }
        let last = image.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard let colon = last.lastIndex(of: ":") else { return true }
        return last[last.index(after: colon)...] == "latest"
    }

    private static func probe(_ probe: inout JSONValue) {
        for (name, value) in [
            ("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3),
        ] {
            if probe[name] == nil || probe[name] == 0 { probe[name] = .integer(Int64(value)) }
        }
        probe.update("grpc") { $0.fill("service", "") }
        handler(&probe)
    }

    private static func handler(_ handler: inout JSONValue) {
        handler.update("httpGet") { get in
            get.fill("path", "/", emptyToo: true)
            get.fill("scheme", "HTTP", emptyToo: true)
        }
    }
}
