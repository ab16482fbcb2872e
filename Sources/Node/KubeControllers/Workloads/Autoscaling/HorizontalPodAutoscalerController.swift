import JSON
package import KubeObjects
import KubeSchema
package import KubeStore
package import Linux

/// Sets the number of pods by metrics.
///
/// Invariants
/// 1. The number stays from minReplicas to maxReplicas. (test: `the size stays within its bounds`)
/// 2. What is not known changes nothing for the worse: without any metric the size stays.
///    (test: `without metrics the size stays, and the condition says why`)
/// 3. The number goes no faster than the policies say. (test: `policies bound how fast the size changes`)
/// 4. Zero is left only by a metric of the whole, with minReplicas 0.
///    (test: `scaling to and from zero goes by metrics of objects`)
package struct HorizontalPodAutoscalerController: Controller {
    /// How often metrics are looked at.
    static let period = Duration.seconds(15)

    let source: any MetricsSource
    let kinds: (any KindCatalog)?
    let memory = AutoscalerMemory()

    /// - Parameter kinds: with the custom ones that may be scaled; nil: only Kubernetes' own are.
    package init(metrics: any MetricsSource, kinds: (any KindCatalog)? = nil) {
        source = metrics
        self.kinds = kinds
    }

    package var name: String { "horizontal-pod-autoscaler" }

    package var resources: [Resource] {
        [.horizontalPodAutoscalers, .pods] + ScaleTarget.builtIn + ScaleTarget.custom(kinds).map(\.resource)
    }

    private static let watched = Set([.horizontalPodAutoscalers, .pods] + ScaleTarget.builtIn)

    package func watches(_ resource: Resource) -> Bool {
        if Self.watched.contains(resource) { return true }
        let served = kinds?.kind(group: resource.group, version: resource.version, plural: resource.plural)
        return served?.custom?.scale != nil
    }

    package func concerned(byNewcomer resource: Resource, in view: any ObjectView) -> [ObjectKey] {
        view.objects(.horizontalPodAutoscalers, namespace: nil).map(\.key)
    }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        if change.resource == .horizontalPodAutoscalers { return [change.key] }
        // Pods are looked at with the metrics; a target counts when its size or itself changes.
        guard change.resource != .pods else { return [] }
        let (old, new) = (change.old.map { KubeObject($0) }, change.new.map { KubeObject($0) })
        let isBuiltIn = ScaleTarget.builtIn.contains(change.resource)
        guard isBuiltIn ? old?.spec["replicas"] != new?.spec["replicas"] : old?.spec != new?.spec else { return [] }
        return view.objects(.horizontalPodAutoscalers, namespace: change.key.namespace).filter { stored in
            let target = KubeObject(stored).spec["scaleTargetRef"]
            return target?["kind"]?.string == change.resource.kind && target?["name"]?.string == change.key.name
        }.map(\.key)
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Linux.Timestamp) -> Decision {
        guard let stored = view.get(.horizontalPodAutoscalers, namespace: key.namespace, key.name) else {
            memory.keep(Set(view.objects(.horizontalPodAutoscalers, namespace: nil).compactMap(\.uid)))
            return Decision()
        }
        let autoscaler = KubeObject(stored)
        guard !autoscaler.isBeingDeleted else { return Decision() }
        var step = AutoscalerStep(of: autoscaler, in: view, kinds, source, memory, now)
        step.run()
        return Decision(step.actions, again: now.adding(Self.period))
    }

    package func failed(
        _ action: ObjectAction, _ failure: APIFailure, about key: ObjectKey, in view: any ObjectView,
        now: Linux.Timestamp
    ) -> [ObjectAction] {
        guard case .update(let resource, let object, _) = action, resource != .horizontalPodAutoscalers,
            failure.code != 409,
            let autoscaler = view.get(.horizontalPodAutoscalers, namespace: key.namespace, key.name).map({
                KubeObject($0)
            })
        else { return [] }
        let size = autoscaler.status["desiredReplicas"]?.integer ?? object.spec["replicas"]?.integer ?? 0
        return [
            .event(
                autoscaler, .horizontalPodAutoscalers, type: "Warning", reason: "FailedRescale",
                message: "New size: \(size); error: \(failure.message)")
        ]
    }
}
