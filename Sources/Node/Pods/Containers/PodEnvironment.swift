import JSON
import KubeObjects
import Linux

/// Something that a pod refers to is missing or makes no sense, in the kubelet's words.
struct ConfigProblem: Error, Hashable, Sendable {
    var message: String
    init(_ message: String) { self.message = message }
}

/// The environment of a container: what services there are, what it takes from config maps and secrets, and what is
/// written down.
struct PodEnvironment: Sendable {
    let references: References
    let fields: FieldReference
    let pod: KubeObject

    private var namespace: String { pod.namespace ?? "default" }

    /// The variables in the order in which they were defined; of two with one name the later counts.
    func variables(of container: JSONValue) async throws(ConfigProblem) -> [(name: String, value: String)] {
        var result = Variables()
        for source in container["envFrom"]?.array ?? [] { try await add(source, to: &result) }
        let services = serviceVariables()
        for variable in container["env"]?.array ?? [] {
            guard let name = variable["name"]?.string, !name.isEmpty else { continue }
            guard let value = try await value(of: variable, container, known: { result[$0] ?? services[$0] }) else {
                continue
            }
            result.set(name, value)
        }
        return services.all.filter { result[$0.name] == nil } + result.all
    }

    private func value(
        of variable: JSONValue, _ container: JSONValue, known: (String) -> String?
    ) async throws(ConfigProblem) -> String? {
        guard let source = variable["valueFrom"], source.object != nil else {
            return VariableExpansion.expand(variable["value"]?.string ?? "", known)
        }
        if let field = source["fieldRef"] {
            let path = field["fieldPath"]?.string ?? ""
            guard let value = fields.value(of: path) else { throw ConfigProblem("unsupported fieldPath: \(path)") }
            return value
        }
        if let resource = source["resourceFieldRef"] {
            guard let value = fields.value(of: resource, in: container) else {
                throw ConfigProblem("unsupported container resource : \(resource["resource"]?.string ?? "")")
            }
            return value
        }
        if let key = source["configMapKeyRef"] { return try await value(of: key, .configMaps) }
        if let key = source["secretKeyRef"] { return try await value(of: key, .secrets) }
        throw ConfigProblem(
            "the variable \(variable["name"]?.string ?? ""): this source of values is not supported by this node")
    }

    private func value(of selector: JSONValue, _ resource: Resource) async throws(ConfigProblem) -> String? {
        let name = selector["name"]?.string ?? ""
        let key = selector["key"]?.string ?? ""
        let isOptional = selector["optional"]?.bool ?? false
        guard let data = try await data(resource, name) else {
            if isOptional { return nil }
            throw ConfigProblem("\(Self.word(resource)) \"\(name)\" not found")
        }
        guard let value = data[key] else {
            if isOptional { return nil }
            throw ConfigProblem("couldn't find key \(key) in \(resource.kind) \(namespace)/\(name)")
        }
        return try text(value, key, name)
    }

    private func add(_ source: JSONValue, to result: inout Variables) async throws(ConfigProblem) {
        let prefix = source["prefix"]?.string ?? ""
        for (key, resource) in [("configMapRef", Resource.configMaps), ("secretRef", Resource.secrets)] {
            guard let reference = source[key], reference.object != nil else { continue }
            let name = reference["name"]?.string ?? ""
            guard let data = try await data(resource, name) else {
                if reference["optional"]?.bool == true { continue }
                throw ConfigProblem("\(Self.word(resource)) \"\(name)\" not found")
            }
            for (key, value) in data.sorted(by: { $0.key < $1.key }) where !key.contains("=") {
                result.set(prefix + key, try text(value, key, name))
            }
        }
    }

    /// No program can be given a NUL.
    private func text(_ value: [UInt8], _ key: String, _ name: String) throws(ConfigProblem) -> String {
        guard !value.contains(0) else {
            throw ConfigProblem("the value of \(key) in \(namespace)/\(name) holds a NUL byte")
        }
        return String(decoding: value, as: UTF8.self)
    }

    private func data(_ resource: Resource, _ name: String) async throws(ConfigProblem) -> [String: [UInt8]]? {
        do throws(APIFailure) {
            return resource == .secrets
                ? try await references.secret(namespace, name) : try await references.configMap(namespace, name)
        } catch { throw ConfigProblem("\(Self.word(resource)) \"\(name)\": \(error.message)") }
    }

    private static func word(_ resource: Resource) -> String { resource.kind.lowercased() }

    // Services.

    /// What Docker's links once said of services of the namespace, and of `kubernetes` always.
    private func serviceVariables() -> Variables {
        let links = pod.spec["enableServiceLinks"]?.bool ?? true
        var services = links ? references.cache.objects(.services, namespace: namespace).map(KubeObject.init) : []
        if namespace != "default" || !links,
            let api = references.cache.get(.services, namespace: "default", "kubernetes")
        {
            services.append(KubeObject(api))
        }
        var result = Variables()
        for service in services.sorted(by: { $0.name < $1.name }) {
            let address = service.spec["clusterIP"]?.string ?? ""
            guard !address.isEmpty, address != "None" else { continue }
            Self.add(service, address, to: &result)
        }
        return result
    }

    private static func add(_ service: KubeObject, _ address: String, to result: inout Variables) {
        func upper(_ text: String) -> String { text.uppercased().replacing("-", with: "_") }
        let name = upper(service.name)
        let ports = service.spec["ports"]?.array ?? []
        let host = address.contains(":") ? "[\(address)]" : address
        guard let first = ports.first?["port"]?.integer else { return }
        result.set(name + "_SERVICE_HOST", address)
        result.set(name + "_SERVICE_PORT", "\(first)")
        for port in ports {
            if let portName = port["name"]?.string, !portName.isEmpty, let number = port["port"]?.integer {
                result.set("\(name)_SERVICE_PORT_\(upper(portName))", "\(number)")
            }
        }
        for (index, port) in ports.enumerated() {
            guard let number = port["port"]?.integer else { continue }
            let transport = (port["protocol"]?.string ?? "TCP").lowercased()
            let url = "\(transport)://\(host):\(number)"
            let base = "\(name)_PORT_\(number)_\(transport.uppercased())"
            if index == 0 { result.set(name + "_PORT", url) }
            for (suffix, value) in [("", url), ("_PROTO", transport), ("_PORT", "\(number)"), ("_ADDR", address)] {
                result.set(base + suffix, value)
            }
        }
    }
}

/// Variables in the order of their first definition, with the last value.
private struct Variables {
    private(set) var order: [String] = []
    private var values: [String: String] = [:]

    subscript(name: String) -> String? { values[name] }
    var all: [(name: String, value: String)] { order.map { ($0, values[$0]!) } }

    mutating func set(_ name: String, _ value: String) {
        if values.updateValue(value, forKey: name) == nil { order.append(name) }
    }
}
