import KubeObjects

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
        /// All kinds that are stored.
        package var kinds: StoredKinds

        package init(
            node: String, facts: @escaping @Sendable () -> NodeFacts, certificate: String,
            issue: @escaping @Sendable (SecretToken) -> String, volumeDirectory: String, kinds: StoredKinds
        ) {
            self.node = node
            self.facts = facts
            self.certificate = certificate
            self.issue = issue
            self.volumeDirectory = volumeDirectory
            self.kinds = kinds
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
            PodGarbageCollector(), NamespaceController(kinds: settings.kinds), GarbageCollector(kinds: settings.kinds),
            ResourceQuotaController(kinds: settings.kinds),
        ]
    }
}
