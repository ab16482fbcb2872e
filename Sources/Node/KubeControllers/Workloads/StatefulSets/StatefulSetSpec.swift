import JSON
import KubeObjects

/// What is read from a StatefulSet's spec.
struct StatefulSetSpec {
    static let podNameLabel = "statefulset.kubernetes.io/pod-name"
    static let indexLabel = "apps.kubernetes.io/pod-index"
    static let revisionLabel = "controller-revision-hash"
    static let hashLabel = "controller.kubernetes.io/hash"

    let json: JSONValue

    init(_ set: KubeObject) { json = set.spec }

    var replicas: Int64 { max(0, json["replicas"]?.integer ?? 1) }
    var start: Int64 { max(0, json["ordinals", "start"]?.integer ?? 0) }
    var isOrdered: Bool { json["podManagementPolicy"]?.string != "Parallel" }
    var updatesItself: Bool { json["updateStrategy", "type"]?.string != "OnDelete" }
    /// Counted from `start`.
    var partition: Int64 { max(0, json["updateStrategy", "rollingUpdate", "partition"]?.integer ?? 0) }
    var minReadySeconds: Int64 { json["minReadySeconds"]?.integer ?? 0 }
    var claimTemplates: [JSONValue] { json["volumeClaimTemplates"]?.array ?? [] }

    /// Percentages are rounded down, to one at least.
    var maxUnavailable: Int64 {
        let value = json["updateStrategy", "rollingUpdate", "maxUnavailable"]
        return max(1, IntOrPercent.scaled(value, of: replicas, roundUp: false) ?? 1)
    }

    func deletesClaims(_ when: String) -> Bool {
        json["persistentVolumeClaimRetentionPolicy"]?[when]?.string == "Delete"
    }
}

extension KubeObject {
    /// The number of a pod with the name of a set; nil for another name.
    func ordinal(in set: KubeObject) -> Int64? {
        let prefix = set.name + "-"
        guard name.hasPrefix(prefix) else { return nil }
        let digits = name.dropFirst(prefix.count)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(digits),
            number <= Int64(Int32.max)
        else { return nil }
        return number
    }

    var isRunningAndReady: Bool { phase == "Running" && isReadyPod }
    var isHealthyPod: Bool { isRunningAndReady && !isBeingDeleted }
}
