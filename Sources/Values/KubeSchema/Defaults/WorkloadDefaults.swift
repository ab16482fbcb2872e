import JSON

/// Defaults of what keeps sets of pods (`pkg/apis/apps/v1/defaults.go`).
enum WorkloadDefaults {
    static func deployment(_ object: inout JSONValue) {
        object.update("spec") { spec in
            spec.fill("replicas", 1)
            spec.fill("strategy", [:])
            spec.update("strategy") { strategy in
                strategy.fill("type", "RollingUpdate", emptyToo: true)
                guard strategy["type"] == "RollingUpdate" else { return }
                strategy.fill("rollingUpdate", [:])
                strategy.update("rollingUpdate") { update in
                    update.fill("maxUnavailable", "25%")
                    update.fill("maxSurge", "25%")
                }
            }
            spec.fill("revisionHistoryLimit", 10)
            spec.fill("progressDeadlineSeconds", 600)
            spec.update("template", PodDefaults.template)
        }
    }

    static func replicaSet(_ object: inout JSONValue) {
        object.update("spec") { spec in
            spec.fill("replicas", 1)
            spec.update("template", PodDefaults.template)
        }
    }

    /// Selector and labels follow from the template's labels.
    static func replicationController(_ object: inout JSONValue) {
        let labels = object["spec", "template", "metadata", "labels"]
        object.update("spec") { spec in
            if let labels { spec.fill("selector", labels) }
            spec.update("template", PodDefaults.template)
        }
        if let labels { object["metadata", default: [:]].fill("labels", labels) }
    }

    static func statefulSet(_ object: inout JSONValue) {
        object.update("spec") { spec in
            spec.fill("replicas", 1)
            spec.fill("podManagementPolicy", "OrderedReady", emptyToo: true)
            spec.fill("updateStrategy", [:])
            spec.update("updateStrategy") { strategy in
                strategy.fill("type", "RollingUpdate", emptyToo: true)
                guard strategy["type"] == "RollingUpdate" else { return }
                strategy.fill("rollingUpdate", [:])
                strategy.update("rollingUpdate") { $0.fill("partition", 0) }
            }
            spec.fill("persistentVolumeClaimRetentionPolicy", [:])
            spec.update("persistentVolumeClaimRetentionPolicy") { policy in
                policy.fill("whenDeleted", "Retain", emptyToo: true)
                policy.fill("whenScaled", "Retain", emptyToo: true)
            }
            spec.fill("revisionHistoryLimit", 10)
            spec.update("volumeClaimTemplates") { claims in
                claims.updateElements { claim in
                    StorageDefaults.claim(&claim)
                    claim.fill("apiVersion", "v1")
                    claim.fill("kind", "PersistentVolumeClaim")
                }
            }
            spec.update("template", PodDefaults.template)
        }
    }

    static func daemonSet(_ object: inout JSONValue) {
        object.update("spec") { spec in
            spec.fill("updateStrategy", [:])
            spec.update("updateStrategy") { strategy in
                strategy.fill("type", "RollingUpdate", emptyToo: true)
                guard strategy["type"] == "RollingUpdate" else { return }
                strategy.fill("rollingUpdate", [:])
                strategy.update("rollingUpdate") { update in
                    update.fill("maxUnavailable", 1)
                    update.fill("maxSurge", 0)
                }
            }
            spec.fill("revisionHistoryLimit", 10)
            spec.update("template", PodDefaults.template)
        }
    }
}
