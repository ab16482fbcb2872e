import JSON
import KubeObjects
import KubeSchema

/// A term of pod affinity or anti-affinity (core/v1.PodAffinityTerm): pods, and what counts as near them.
package struct PodTerm: Sendable {
    package let topologyKey: String
    private let selector: LabelSelector
    private let namespaces: Set<String>
    /// Further namespaces, by their labels.
    private let namespaceSelector: LabelSelector

    /// The terms of a list. A selector that cannot be read, which validation has not let in, holds for no pod.
    static func terms(_ list: JSONValue?, of pod: KubeObject) -> [PodTerm] {
        (list?.array ?? []).map { PodTerm($0, of: pod) }
    }

    private init(_ term: JSONValue, of pod: KubeObject) {
        topologyKey = term["topologyKey"]?.string ?? ""
        selector = Self.selector(
            term["labelSelector"], of: pod, equal: term["matchLabelKeys"], different: term["mismatchLabelKeys"])
        let named = (term["namespaces"]?.array ?? []).compactMap(\.string)
        let byLabels = term["namespaceSelector"]
        // Neither names nor a selector: the pod's own namespace. An empty selector: all.
        namespaces = named.isEmpty && byLabels == nil ? [pod.namespace ?? ""] : Set(named)
        namespaceSelector = (try? LabelSelector(object: byLabels)) ?? .nothing
    }

    /// A selector with the values that the pod itself has for some keys. The server adds these when the pod is made; added
    /// twice they mean the same.
    static func selector(
        _ object: JSONValue?, of pod: KubeObject, equal: JSONValue?, different: JSONValue? = nil
    ) -> LabelSelector {
        guard var object, !object.isNull else { return .nothing }
        let labels = pod.metadata.labels
        for (keys, verb) in [(equal, "In"), (different, "NotIn")] {
            for key in (keys?.array ?? []).compactMap(\.string) {
                guard let value = labels[key] else { continue }
                let requirement: JSONValue = [
                    "key": .string(key), "operator": .string(verb), "values": [.string(value)],
                ]
                object["matchExpressions"] = .array((object["matchExpressions"]?.array ?? []) + [requirement])
            }
        }
        return (try? LabelSelector(object: object)) ?? .nothing
    }

    /// - Parameter namespaceLabels: the labels of a namespace.
    func matches(_ pod: SchedulingPod, namespaceLabels: (String) -> JSONValue?) -> Bool {
        guard namespaces.contains(pod.namespace) || isInSelectedNamespace(pod, namespaceLabels) else { return false }
        return selector.matches(pod.labels)
    }

    private func isInSelectedNamespace(_ pod: SchedulingPod, _ namespaceLabels: (String) -> JSONValue?) -> Bool {
        guard !namespaceSelector.isNothing else { return false }
        return namespaceSelector.requirements.isEmpty || namespaceSelector.matches(namespaceLabels(pod.namespace))
    }
}
