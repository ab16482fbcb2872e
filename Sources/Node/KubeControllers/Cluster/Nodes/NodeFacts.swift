import JSON
import KubeObjects
import KubeSchema

/// What the node's agent knows of its machine: everything that the Node object tells besides the times.
package struct NodeFacts: Hashable, Sendable {
    package struct Address: Hashable, Sendable {
        /// "InternalIP", "ExternalIP", "Hostname".
        package var type: String
        package var address: String

        package init(type: String, address: String) {
            self.type = type
            self.address = address
        }
    }

    package struct Image: Hashable, Sendable {
        package var names: [String]
        package var bytes: Int64

        package init(names: [String], bytes: Int64) {
            self.names = names
            self.bytes = bytes
        }
    }

    package var name: String
    /// Besides those that every node has.
    package var labels: [String: String] = [:]
    package var addresses: [Address] = []
    package var podRanges: [String] = []

    /// Thousandths of a processor.
    package var milliCPU: Int64 = 0
    /// Bytes.
    package var memory: Int64 = 0
    package var ephemeralStorage: Int64 = 0
    package var pods: Int64 = 500
    /// Kept from pods for the machine itself.
    package var reservedMilliCPU: Int64 = 0
    package var reservedMemory: Int64 = 0
    package var reservedStorage: Int64 = 0
    /// Devices and huge pages, by resource name.
    package var extended: [String: Int64] = [:]

    package var machineID = ""
    package var systemUUID = ""
    package var bootID = ""
    package var kernelVersion = ""
    package var osImage = ""
    package var runtimeVersion = ""
    package var kubeletVersion = ""
    /// As Go names it: "amd64", "arm64".
    package var architecture = ""
    /// Where the node's own API answers; nil without one.
    package var agentPort: UInt16?
    package var images: [Image] = []

    package var lacksMemory = false
    package var lacksDisk = false
    package var lacksProcesses = false
    /// Why no pods can be run; nil when they can.
    package var notReady: String?

    package init(name: String) { self.name = name }
}

extension NodeFacts {
    /// Labels that nodes have in Kubernetes.
    var allLabels: [String: String] {
        var labels = labels
        labels["kubernetes.io/hostname"] = name
        labels["kubernetes.io/os"] = "linux"
        labels["kubernetes.io/arch"] = architecture
        labels["beta.kubernetes.io/os"] = "linux"
        labels["beta.kubernetes.io/arch"] = architecture
        return labels
    }

    private func amounts(cpu: Int64, memory: Int64, storage: Int64) -> JSONValue {
        var list: [String: String] = extended.mapValues { String($0) }
        list["cpu"] = cpu % 1000 == 0 ? String(cpu / 1000) : "\(cpu)m"
        list["memory"] = Self.bytes(memory)
        list["ephemeral-storage"] = Self.bytes(storage)
        list["pods"] = String(pods)
        return list.json
    }

    /// In whole Ki, as the kernel tells memory, and in the form in which the API keeps amounts: what is kept in another
    /// form would differ from the facts for ever, and be written again and again.
    private static func bytes(_ count: Int64) -> String {
        Quantity(max(0, count) / 1024 * 1024, format: .binarySI).description
    }

    /// core/v1.NodeStatus without conditions.
    var status: JSONValue {
        var status: JSONValue = [
            "capacity": amounts(cpu: milliCPU, memory: memory, storage: ephemeralStorage),
            "allocatable": amounts(
                cpu: max(0, milliCPU - reservedMilliCPU), memory: memory - reservedMemory,
                storage: ephemeralStorage - reservedStorage),
            "addresses": .array(
                addresses.map { ["type": .string($0.type), "address": .string($0.address)] }),
            "daemonEndpoints": ["kubeletEndpoint": ["Port": .integer(Int64(agentPort ?? 0))]],
            "nodeInfo": [
                "machineID": .string(machineID), "systemUUID": .string(systemUUID), "bootID": .string(bootID),
                "kernelVersion": .string(kernelVersion), "osImage": .string(osImage),
                "containerRuntimeVersion": .string(runtimeVersion), "kubeletVersion": .string(kubeletVersion),
                "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": .string(architecture),
            ],
        ]
        if !images.isEmpty {
            status["images"] = .array(
                images.map { ["names": $0.names.json, "sizeBytes": .integer($0.bytes)] })
        }
        return status
    }

    struct Condition {
        var type: String
        var isTrue: Bool
        var reason: String
        var message: String
        /// Of the event that tells the change.
        var event: String
    }

    /// In kubelet's words, which tools look for.
    var conditions: [Condition] {
        [
            Condition(
                type: "MemoryPressure", isTrue: lacksMemory,
                reason: lacksMemory ? "KubeletHasInsufficientMemory" : "KubeletHasSufficientMemory",
                message: "kubelet has \(lacksMemory ? "insufficient" : "sufficient") memory available",
                event: lacksMemory ? "NodeHasInsufficientMemory" : "NodeHasSufficientMemory"),
            Condition(
                type: "DiskPressure", isTrue: lacksDisk,
                reason: lacksDisk ? "KubeletHasDiskPressure" : "KubeletHasNoDiskPressure",
                message: "kubelet has \(lacksDisk ? "" : "no ")disk pressure",
                event: lacksDisk ? "NodeHasDiskPressure" : "NodeHasNoDiskPressure"),
            Condition(
                type: "PIDPressure", isTrue: lacksProcesses,
                reason: lacksProcesses ? "KubeletHasInsufficientPID" : "KubeletHasSufficientPID",
                message: "kubelet has \(lacksProcesses ? "insufficient" : "sufficient") PID available",
                event: lacksProcesses ? "NodeHasInsufficientPID" : "NodeHasSufficientPID"),
            Condition(
                type: "Ready", isTrue: notReady == nil,
                reason: notReady == nil ? "KubeletReady" : "KubeletNotReady",
                message: notReady ?? "kubelet is posting ready status",
                event: notReady == nil ? "NodeReady" : "NodeNotReady"),
        ]
    }
}
