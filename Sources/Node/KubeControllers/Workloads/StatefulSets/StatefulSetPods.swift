import JSON
import KubeObjects
import KubeStore

// The pods of a StatefulSet and their claims.
extension StatefulSetStep {
    /// Makes the claims of a number and its pod.
    /// - Returns: false when a claim is on its way out, which has to be waited for.
    mutating func make(_ number: Int64) -> Bool {
        let name = "\(set.name)-\(number)"
        for claim in claims(of: number) {
            guard let there = claimObject(claim.name) else {
                create(claim, for: name)
                continue
            }
            // Of a number that was scaled away: it goes with its old pod.
            let isStale = there.metadata.ownerReferences.contains { $0.kind == "Pod" && $0.name == name }
            if there.isBeingDeleted || isStale { return false }
        }
        // Below the partition the old template counts, also for pods that are made anew.
        let isOld = spec.updatesItself && number < spec.start + spec.partition
        actions.append(.create(.pods, pod(number, isOld ? current : update)))
        say("SuccessfulCreate", "create Pod \(name) in StatefulSet \(set.name) successful")
        return true
    }

    private mutating func create(_ claim: KubeObject, for pod: String) {
        actions.append(.create(.persistentVolumeClaims, claim))
        say("SuccessfulCreate", "create Claim \(claim.name) Pod \(pod) in StatefulSet \(set.name) success")
    }

    func claimObject(_ name: String) -> KubeObject? {
        view.get(.persistentVolumeClaims, namespace: set.namespace, name).map { KubeObject($0) }
    }

    private func pod(_ number: Int64, _ revision: KubeObject) -> KubeObject {
        var pod = PodTemplate.pod(revision.revisedTemplate ?? set.spec["template"], of: set, .statefulSets)
        let name = "\(set.name)-\(number)"
        pod.metadata.generateName = nil
        pod.metadata.name = name
        pod.metadata.labels[StatefulSetSpec.podNameLabel] = name
        pod.metadata.labels[StatefulSetSpec.indexLabel] = String(number)
        pod.metadata.labels[StatefulSetSpec.revisionLabel] = revision.name
        pod.json["spec", default: [:]]["hostname"] = .string(name)
        if let service = spec.json["serviceName"]?.string, !service.isEmpty {
            pod.json["spec", default: [:]]["subdomain"] = .string(service)
        }
        let volumes = spec.claimTemplates.compactMap { $0["metadata", "name"]?.string }.map { template -> JSONValue in
            [
                "name": .string(template),
                "persistentVolumeClaim": ["claimName": .string("\(template)-\(name)")],
            ]
        }
        guard !volumes.isEmpty else { return pod }
        let names = Set(volumes.map { $0["name"] })
        let others = (pod.spec["volumes"]?.array ?? []).filter { !names.contains($0["name"]) }
        pod.json["spec", default: [:]]["volumes"] = .array(volumes + others)
        return pod
    }

    /// The claims that a number has, as they are made.
    private func claims(of number: Int64) -> [KubeObject] {
        spec.claimTemplates.compactMap { template in
            guard let name = template["metadata", "name"]?.string else { return nil }
            var claim = KubeObject(json: template)
            claim.json["apiVersion"] = "v1"
            claim.json["kind"] = "PersistentVolumeClaim"
            claim.json["status"] = nil
            claim.metadata.name = "\(name)-\(set.name)-\(number)"
            claim.metadata.namespace = set.namespace
            var labels = claim.metadata.labels
            for label in set.json["spec", "selector", "matchLabels"]?.object?.members ?? [] {
                labels[label.key] = label.value.string
            }
            claim.metadata.labels = labels
            if spec.deletesClaims("whenDeleted") {
                claim.metadata.ownerReferences = [OwnerReference(controller: set, .statefulSets)]
            }
            return claim
        }
    }

    /// A claim that somebody removed is made anew while its pod still waits for it.
    mutating func makeMissingClaims(of number: Int64, _ pod: KubeObject) {
        if pod.phase == "Pending" || pod.phase.isEmpty, !pod.isBeingDeleted {
            for claim in claims(of: number) where claimObject(claim.name) == nil { create(claim, for: pod.name) }
        }
        if !pod.isBeingDeleted { syncClaimOwners(of: pod, isCondemned: false) }
    }

    /// Who takes the claims along: the set when it is deleted, or the pod when its number is scaled away.
    mutating func syncClaimOwners(of pod: KubeObject, isCondemned: Bool) {
        guard let number = pod.ordinal(in: set) else { return }
        for template in claims(of: number) {
            guard var claim = claimObject(template.name), !claim.isBeingDeleted else { continue }
            let byPod = spec.deletesClaims("whenScaled") && isCondemned
            let bySet = spec.deletesClaims("whenDeleted") && !byPod
            var owners = claim.metadata.ownerReferences.filter { reference in
                reference.uid != set.uid && !(reference.kind == "Pod" && reference.name == pod.name)
            }
            if byPod { owners.append(OwnerReference(controller: pod, .pods)) }
            if bySet { owners.append(OwnerReference(controller: set, .statefulSets)) }
            guard Set(owners) != Set(claim.metadata.ownerReferences) else { continue }
            claim.metadata.ownerReferences = owners
            actions.append(.update(.persistentVolumeClaims, claim))
        }
    }

    /// The labels that name a pod.
    mutating func fixIdentity(of pod: KubeObject, _ number: Int64) {
        guard !pod.isBeingDeleted,
            pod.label(StatefulSetSpec.podNameLabel) != pod.name
                || pod.label(StatefulSetSpec.indexLabel) != String(number)
        else { return }
        var pod = pod
        pod.metadata.labels[StatefulSetSpec.podNameLabel] = pod.name
        pod.metadata.labels[StatefulSetSpec.indexLabel] = String(number)
        actions.append(.update(.pods, pod))
        say("SuccessfulUpdate", "update Pod \(pod.name) in StatefulSet \(set.name) successful")
    }
}
