package import KubeObjects
internal import KubeSchema

/// The controllers of a cluster of one node, besides those of workloads.
package enum ClusterControllers {
    /// What they are told of the node and its API.
    package struct Settings: Sendable {
        package var node: String
        /// How the machine is now.
        package var facts: @Sendable () -> NodeFacts
        /// The API server's authority in PEM.
        package var certificate: String
        /// Signs a token that does not expire.
        package var issue: @Sendable (SecretToken) -> String
        /// Below which volumes of the class with the provisioner forkless.dev/local-path are made; an absolute path.
        package var volumeDirectory: String
        /// Kinds that are stored besides Kubernetes' own.
        package var customKinds: [Resource]

        package init(
            node: String, facts: @escaping @Sendable () -> NodeFacts, certificate: String,
            issue: @escaping @Sendable (SecretToken) -> String, volumeDirectory: String, customKinds: [Resource] = []
        ) {
            self.node = node
            self.facts = facts
            self.certificate = certificate
            self.issue = issue
            self.volumeDirectory = volumeDirectory
            self.customKinds = customKinds
        }
    }

    package static func all(_ settings: Settings) -> [any Controller] {
        [
            NodeController(node: settings.node, facts: settings.facts), NodeScheduler(node: settings.node),
            EndpointSliceController(), EndpointsController(), EndpointSliceMirroring(),
            RootCertificatePublisher(certificate: settings.certificate), ServiceAccountsController(),
            TokenSecretController(certificate: settings.certificate, issue: settings.issue),
            VolumeBinder(node: settings.node, directory: settings.volumeDirectory), VolumeProtection(),
            EphemeralVolumes(), DisruptionController(), ClusterRoleAggregation(), EventExpiry(),
            PodGarbageCollector(),
        ] + ofAllKinds(settings.customKinds)
    }

    /// Those that look at every kind there is: they are made anew, in a group of their own, when kinds come or go.
    package static func ofAllKinds(_ customKinds: [Resource]) -> [any Controller] {
        let stored = storedKinds + customKinds
        let contents = stored.filter(\.isNamespaced)
        return [
            NamespaceController(contents: contents),
            GarbageCollector(kinds: stored.filter { $0 != .events }), ResourceQuotaController(contents: contents),
        ]
    }

    /// Kubernetes' own kinds whose objects are kept, each in one version.
    package static var storedKinds: [Resource] {
        var names: Set<String> = []
        return Schema.kubernetes.kinds.filter { !$0.isVirtual }.map { Resource($0) }.filter {
            names.insert($0.storeName).inserted
        }
    }
}
