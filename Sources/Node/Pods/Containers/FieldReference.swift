import JSON
import KubeObjects
import KubeSchema

/// What a pod can be told of itself: the downward API (core/v1.ObjectFieldSelector, ResourceFieldSelector).
struct FieldReference: Sendable {
    let pod: KubeObject
    let addresses: [String]
    let hostAddress: String
    /// What the machine has: the value of a limit that is not set.
    let machineCPUs: Int
    let machineMemory: Int

    /// nil for a path that is none.
    func value(of path: String) -> String? {
        switch path {
        case "metadata.name": return pod.name
        case "metadata.namespace": return pod.namespace ?? ""
        case "metadata.uid": return pod.uid
        case "metadata.labels": return Self.lines(pod.metadata.labels)
        case "metadata.annotations": return Self.lines(pod.metadata.annotations)
        case "spec.nodeName": return pod.spec["nodeName"]?.string ?? ""
        case "spec.serviceAccountName": return pod.spec["serviceAccountName"]?.string ?? ""
        case "spec.restartPolicy": return pod.spec["restartPolicy"]?.string ?? ""
        case "status.hostIP", "status.hostIPs": return hostAddress
        case "status.podIP": return addresses.first ?? ""
        case "status.podIPs": return addresses.joined(separator: ",")
        default: return entry(path)
        }
    }

    /// "metadata.labels['key']"
    private func entry(_ path: String) -> String? {
        for (prefix, values) in [
            ("metadata.labels['", pod.metadata.labels), ("metadata.annotations['", pod.metadata.annotations),
        ] where path.hasPrefix(prefix) && path.hasSuffix("']") {
            return values[String(path.dropFirst(prefix.count).dropLast(2))] ?? ""
        }
        return nil
    }

    /// As the kubelet writes a map into a file: key="value", sorted, the value quoted as Go does.
    private static func lines(_ values: [String: String]) -> String {
        values.sorted { $0.key < $1.key }.map { "\($0.key)=\(quoted($0.value))" }.joined(separator: "\n")
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// The value of a resourceFieldRef; nil when it names no container or no resource.
    ///
    /// - Parameter container: that the reference stands in; in volumes it names one itself.
    func value(of selector: JSONValue, in container: JSONValue?) -> String? {
        let named = selector["containerName"]?.string ?? ""
        let all = ["containers", "initContainers"].flatMap { pod.spec[$0]?.array ?? [] }
        guard let target = named.isEmpty ? container : all.first(where: { $0["name"]?.string == named }),
            let resource = selector["resource"]?.string
        else { return nil }
        let parts = resource.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, ["limits", "requests"].contains(parts[0]) else { return nil }
        var quantity = Quantity(json: target["resources", parts[0]]?[parts[1]])
        if quantity == nil, parts[0] == "limits" {
            switch parts[1] {
            case "cpu": quantity = Quantity(Int64(machineCPUs))
            case "memory": quantity = Quantity(Int64(machineMemory))
            default: break
            }
        }
        let divisor = Quantity(json: selector["divisor"]).flatMap { $0.isZero ? nil : $0 } ?? Quantity(1)
        // Rounded up, as upstream does.
        let (value, unit) = ((quantity ?? .zero).billionths, divisor.billionths)
        guard unit > 0, value >= 0 else { return nil }
        return "\((value + unit - 1) / unit)"
    }
}
