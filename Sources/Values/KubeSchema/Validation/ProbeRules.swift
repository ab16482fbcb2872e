import JSON

/// Rules for probes and life-cycle hooks (`validateProbe`, `validateHandler`).
enum ProbeRules {
    static let probeHandlers = ["exec", "httpGet", "tcpSocket", "grpc"]
    static let hookHandlers = ["exec", "httpGet", "tcpSocket", "sleep"]

    static func check(_ probe: Located, isReadiness: Bool, _ causes: inout Causes) {
        checkHandler(probe, probeHandlers, &causes)
        for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
        {
            causes.nonNegative(probe[field])
        }
        let grace = probe["terminationGracePeriodSeconds"]
        if isReadiness {
            if grace.exists { causes.invalid(grace, "must not be set for readinessProbes") }
            return
        }
        if let seconds = grace.integer, seconds <= 0 { causes.invalid(grace, "must be greater than 0") }
        if let threshold = probe["successThreshold"].integer, threshold > 1 {
            causes.invalid(probe["successThreshold"], "must be 1")
        }
    }

    static func checkHandler(_ place: Located, _ handlers: [String], _ causes: inout Causes) {
        let named = handlers.map { place[$0] }.filter(\.exists)
        if named.isEmpty { causes.required(place, "must specify a handler type") }
        for extra in named.dropFirst() { causes.forbidden(extra, "may not specify more than 1 handler type") }
        if place["exec"].exists, place["exec"]["command"].isEmpty { causes.required(place["exec"]["command"]) }
        if place["httpGet"].exists { checkHTTP(place["httpGet"], &causes) }
        if place["tcpSocket"].exists { port(place["tcpSocket"]["port"], &causes) }
        if place["grpc"].exists {
            causes.inRange(Located(place["grpc"]["port"].json ?? 0, place["grpc"]["port"].path), 1...65535)
        }
        let sleep = place["sleep"]["seconds"]
        if handlers == hookHandlers, let seconds = sleep.integer, seconds < 0 {
            causes.invalid(sleep, "must be greater than 0 and less than terminationGracePeriodSeconds (30)")
        }
    }

    private static func checkHTTP(_ get: Located, _ causes: inout Causes) {
        if get["path"].exists, get["path"].isEmpty { causes.required(get["path"]) }
        port(get["port"], &causes)
        for header in get["httpHeaders"].elements {
            let name = header["name"]
            if name.isEmpty || !name.text.utf8.allSatisfy({ Names.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }) {
                causes.invalid(
                    name,
                    "a valid HTTP header must consist of alphanumeric characters or '-'"
                        + Names.hint("[-A-Za-z0-9]+", "X-Header-Name"))
            }
        }
    }

    /// A port by number or by name.
    static func port(_ port: Located, _ causes: inout Causes) {
        if port.json?.string != nil {
            causes.invalid(port, Names.portName(port.text))
        } else {
            causes.inRange(Located(port.json ?? 0, port.path), 1...65535)
        }
    }
}

/// Rules for fields of a pod that become variables or files.
enum DownwardRules {
    private static let variables: Set = [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs", "status.podIP", "status.podIPs",
    ]
    private static let files: Set = [
        "metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid",
    ]

    static func checkVariable(_ field: Located, _ causes: inout Causes) { check(field, variables, &causes) }
    static func checkFile(_ field: Located, _ causes: inout Causes) { check(field, files, &causes) }

    private static func check(_ field: Located, _ known: Set<String>, _ causes: inout Causes) {
        let path = field["fieldPath"]
        if path.isEmpty { return causes.required(path) }
        if let (name, key) = subscripted(path.text) {
            guard name == "metadata.annotations" || name == "metadata.labels" else {
                return causes.invalid(path, "does not support subscript")
            }
            return causes.invalid(path, Names.labelKey(name == "metadata.labels" ? key : key.lowercased()))
        }
        if !known.contains(path.text) { causes.notSupported(path, known.sorted()) }
    }

    /// `metadata.labels['app']` taken apart.
    private static func subscripted(_ path: String) -> (String, String)? {
        guard path.hasSuffix("']"), let open = path.firstIndex(of: "[") else { return nil }
        let key = path[open...].dropFirst()
        guard key.first == "'", key.count >= 3 else { return nil }
        return (String(path[..<open]), String(key.dropFirst().dropLast(2)))
    }
}
