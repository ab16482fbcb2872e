import JSON

/// Defaults of pods and of templates of pods (`pkg/apis/core/v1/defaults.go`).
enum PodDefaults {
    static func pod(_ object: inout JSONValue) {
        object.update("spec") { spec in
            // These two hold for pods, and not for templates.
            spec.fill("enableServiceLinks", true)
            for list in ContainerDefaults.lists {
                spec.update(list) { containers in containers.updateElements(ContainerDefaults.requestsFromLimits) }
            }
            spec.update("resources") { resources in
                resources.fillMap("requests", from: resources["limits"])
            }
            self.spec(&spec)
        }
    }

    static func template(_ template: inout JSONValue) { template.update("spec", spec) }

    static func spec(_ spec: inout JSONValue) {
        spec.fill("dnsPolicy", "ClusterFirst", emptyToo: true)
        spec.fill("restartPolicy", "Always", emptyToo: true)
        spec.fill("securityContext", [:])
        spec.fill("terminationGracePeriodSeconds", 30)
        spec.fill("schedulerName", "default-scheduler", emptyToo: true)
        // The old name and the new one say the same; the new one counts.
        if let account = spec["serviceAccountName"] ?? spec["serviceAccount"], account != "" {
            spec["serviceAccountName"] = account
            spec["serviceAccount"] = account
        }
        let usesHostNetwork = spec["hostNetwork"]?.bool == true
        for list in ContainerDefaults.lists {
            spec.update(list) { containers in
                containers.updateElements { container in
                    ContainerDefaults.container(&container)
                    if usesHostNetwork { ContainerDefaults.hostPorts(&container) }
                }
            }
        }
        spec.update("volumes") { $0.updateElements(volume) }
    }

    private static func volume(_ volume: inout JSONValue) {
        guard let members = volume.object else { return }
        if members.members.allSatisfy({ $0.key == "name" || $0.value.isNull }) { volume["emptyDir"] = [:] }
        for source in ["secret", "configMap", "downwardAPI", "projected"] {
            volume.update(source) { $0.fill("defaultMode", 420) }
        }
        volume.update("downwardAPI") { $0.update("items") { $0.updateElements(downwardFile) } }
        volume.update("hostPath") { $0.fill("type", "") }
        volume.update("projected") { projected in
            projected.update("sources") { sources in
                sources.updateElements { source in
                    source.update("serviceAccountToken") { $0.fill("expirationSeconds", 3600) }
                    source.update("downwardAPI") { $0.update("items") { $0.updateElements(downwardFile) } }
                }
            }
        }
        volume.update("ephemeral") { ephemeral in
            ephemeral.update("volumeClaimTemplate") { $0.update("spec", StorageDefaults.claimSpec) }
        }
    }

    private static func downwardFile(_ file: inout JSONValue) {
        file.update("fieldRef") { $0.fill("apiVersion", "v1", emptyToo: true) }
    }
}
