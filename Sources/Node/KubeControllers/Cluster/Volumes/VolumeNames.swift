/// Names that binding goes by.
package enum VolumeNames {
    /// The provisioner of directories on the node.
    package static let localPath = "forkless.dev/local-path"
    /// Holds a volume until its directory is gone.
    package static let directoryFinalizer = "forkless.dev/volume-directory"
    static let noProvisioner = "kubernetes.io/no-provisioner"

    static let boundByController = "pv.kubernetes.io/bound-by-controller"
    static let provisionedBy = "pv.kubernetes.io/provisioned-by"
    static let provisioner = "volume.kubernetes.io/storage-provisioner"
    static let provisionerBeta = "volume.beta.kubernetes.io/storage-provisioner"

    static let claimProtection = "kubernetes.io/pvc-protection"
    static let volumeProtection = "kubernetes.io/pv-protection"
}
