extension KubernetesKinds {
    /// Volumes that the node serves by itself.
    static let volumes = """
        package core/v1

        type Volume -- A volume of a pod: a name, and where its content comes from.
            name 1 string! -- Name of the volume, by which containers mount it.
            volumeSource 2 inline VolumeSource

        type VolumeSource -- Where the content of a volume comes from; one of these.
            hostPath 1 HostPathVolumeSource? -- A file or directory of the node.
            emptyDir 2 EmptyDirVolumeSource? -- A directory that lives as long as the pod.
            gcePersistentDisk 3 GCEPersistentDiskVolumeSource? -- A disk of Google Compute Engine.
            awsElasticBlockStore 4 AWSElasticBlockStoreVolumeSource? -- A disk of AWS.
            gitRepo 5 GitRepoVolumeSource? -- A clone of a repository; deprecated.
            secret 6 SecretVolumeSource? -- The content of a secret.
            nfs 7 NFSVolumeSource? -- A directory of an NFS server.
            iscsi 8 ISCSIVolumeSource? -- A disk reached through iSCSI.
            glusterfs 9 GlusterfsVolumeSource? -- A volume of Gluster; deprecated.
            persistentVolumeClaim 10 PersistentVolumeClaimVolumeSource? -- The volume that a claim in the same \
                  namespace is bound to.
            rbd 11 RBDVolumeSource? -- A Ceph block device.
            flexVolume 12 FlexVolumeSource? -- A volume of a FlexVolume driver; deprecated.
            cinder 13 CinderVolumeSource? -- A disk of OpenStack.
            cephfs 14 CephFSVolumeSource? -- A Ceph file system.
            flocker 15 FlockerVolumeSource? -- A volume of Flocker; deprecated.
            downwardAPI 16 DownwardAPIVolumeSource? -- Fields of the pod as files.
            fc 17 FCVolumeSource? -- A disk reached through Fibre Channel.
            azureFile 18 AzureFileVolumeSource? -- A file share of Azure.
            configMap 19 ConfigMapVolumeSource? -- The content of a config map.
            vsphereVolume 20 VsphereVirtualDiskVolumeSource? -- A disk of vSphere.
            quobyte 21 QuobyteVolumeSource? -- A volume of Quobyte; deprecated.
            azureDisk 22 AzureDiskVolumeSource? -- A disk of Azure.
            photonPersistentDisk 23 PhotonPersistentDiskVolumeSource? -- A disk of Photon; deprecated.
            projected 26 ProjectedVolumeSource? -- Several sources in one directory.
            portworxVolume 24 PortworxVolumeSource? -- A volume of Portworx; deprecated.
            scaleIO 25 ScaleIOVolumeSource? -- A volume of ScaleIO; deprecated.
            storageos 27 StorageOSVolumeSource? -- A volume of StorageOS; deprecated.
            csi 28 CSIVolumeSource? -- A volume of a CSI driver that lives as long as the pod.
            ephemeral 29 EphemeralVolumeSource? -- A claim that is made for the pod and goes away with it.
            image 30 ImageVolumeSource? -- The content of an image.

        type HostPathVolumeSource -- A file or directory of the node.
            path 1 string! -- Path of the file or directory.
            type 2 HostPathType? -- What must be there, or is made; nothing is checked when empty.
        enum HostPathType "" DirectoryOrCreate Directory FileOrCreate File Socket CharDevice BlockDevice

        type EmptyDirVolumeSource -- A directory that lives as long as the pod.
            medium 1 string -- Memory for a tmpfs; the node's disk when empty.
            sizeLimit 2 quantity? -- How much may be written.

        type SecretVolumeSource -- The content of a secret as files.
            secretName 1 string -- Name of the secret.
            items 2 [KeyToPath] atomic -- Which keys become which files; all keys when empty.
            defaultMode 3 int32? -- Permission bits of files that name none, 0644 by default.
            optional 4 bool? -- Whether the object, or the key in it, may be missing.

        type KeyToPath -- A key that becomes a file.
            key 1 string! -- The key that is meant.
            path 2 string! -- Path of the file below the mount, without "..".
            mode 3 int32? -- Permission bits of this file.

        type ConfigMapVolumeSource -- The content of a config map as files.
            localObjectReference 1 inline LocalObjectReference
            items 2 [KeyToPath] atomic -- Which keys become which files; all keys when empty.
            defaultMode 3 int32? -- Permission bits of files that name none, 0644 by default.
            optional 4 bool? -- Whether the object, or the key in it, may be missing.

        type DownwardAPIVolumeSource -- Fields of the pod as files.
            items 1 [DownwardAPIVolumeFile] atomic -- Which keys become which files; all keys when empty.
            defaultMode 2 int32? -- Permission bits of files that name none, 0644 by default.

        type DownwardAPIVolumeFile -- A field of the pod as a file.
            path 1 string! -- Path of the file below the mount, without "..".
            fieldRef 2 ObjectFieldSelector? -- A field of the pod: metadata or labels and annotations.
            resourceFieldRef 3 ResourceFieldSelector? -- A request or limit of a container.
            mode 4 int32? -- Permission bits of this file.

        type PersistentVolumeClaimVolumeSource -- The volume that a claim is bound to.
            claimName 1 string! -- Name of the claim in the pod's namespace.
            readOnly 2 bool -- Mounts the volume read-only.

        type EphemeralVolumeSource -- A claim that is made for the pod.
            volumeClaimTemplate 1 PersistentVolumeClaimTemplate? -- The claim, named after the pod and the volume.

        type ImageVolumeSource -- The content of an image as a volume.
            reference 1 string -- Name of the image.
            pullPolicy 2 PullPolicy -- When the image is fetched.

        type CSIVolumeSource -- A volume of a CSI driver that lives as long as the pod.
            driver 1 string! -- Name of the driver that serves the volume.
            readOnly 2 bool? -- Mounts the volume read-only.
            fsType 3 string? -- File system of the volume; the driver's own default when empty.
            volumeAttributes 4 {string} -- Parameters of the driver.
            nodePublishSecretRef 5 LocalObjectReference? -- Secret that the driver gets when it publishes the \
                  volume.

        type NFSVolumeSource -- A directory of an NFS server.
            server 1 string! -- Name or address of the server.
            path 2 string! -- Path that the server exports.
            readOnly 3 bool -- Mounts the volume read-only.

        type GitRepoVolumeSource -- A clone of a repository; deprecated.
            repository 1 string! -- URL of the repository.
            revision 2 string -- Commit to check out.
            directory 3 string -- Directory to clone into.

        type LocalVolumeSource -- A disk or directory of one node.
            path 1 string! -- Path of the file or directory.
            fsType 2 string? -- File system of the volume; the driver's own default when empty.

        type ProjectedVolumeSource -- Several sources in one directory.
            sources 1 [VolumeProjection] atomic -- What the directory shows.
            defaultMode 2 int32? -- Permission bits of files that name none, 0644 by default.

        type VolumeProjection -- One source of a projected volume.
            secret 1 SecretProjection? -- Keys of a secret.
            downwardAPI 2 DownwardAPIProjection? -- Fields of the pod.
            configMap 3 ConfigMapProjection? -- Keys of a config map.
            serviceAccountToken 4 ServiceAccountTokenProjection? -- A token of the pod's service account, renewed \
                  before it expires.
            clusterTrustBundle 5 ClusterTrustBundleProjection? -- Certificates to trust.
            podCertificate 6 PodCertificateProjection? -- A certificate for the pod.

        type SecretProjection -- Keys of a secret in a projected volume.
            localObjectReference 1 inline LocalObjectReference
            items 2 [KeyToPath] atomic -- Which keys become which files; all keys when empty.
            optional 4 bool? -- Whether the object, or the key in it, may be missing.

        type DownwardAPIProjection -- Fields of the pod in a projected volume.
            items 1 [DownwardAPIVolumeFile] atomic -- Which keys become which files; all keys when empty.

        type ConfigMapProjection -- Keys of a config map in a projected volume.
            localObjectReference 1 inline LocalObjectReference
            items 2 [KeyToPath] atomic -- Which keys become which files; all keys when empty.
            optional 4 bool? -- Whether the object, or the key in it, may be missing.

        type ServiceAccountTokenProjection -- A token in a projected volume.
            audience 1 string -- For whom the token is; the API server when empty.
            expirationSeconds 2 int64? -- How long the token holds; an hour by default, ten minutes at least.
            path 3 string! -- Path of the file below the mount.

        type ClusterTrustBundleProjection -- Certificates to trust, in a projected volume.
            name 1 string? -- Name of one bundle.
            signerName 2 string? -- Name of the signer.
            labelSelector 3 LabelSelector? -- Which objects count, by their labels.
            optional 5 bool? -- Whether the object, or the key in it, may be missing.
            path 4 string! -- Path of the file below the mount.

        type PodCertificateProjection -- A certificate for the pod, in a projected volume.
            signerName 1 string -- Name of the signer.
            keyType 2 string -- Type of the key, such as ED25519.
            maxExpirationSeconds 3 int32? -- How long the certificate may hold.
            credentialBundlePath 4 string -- File of key and certificates together.
            keyPath 5 string -- File of the key.
            certificateChainPath 6 string -- File of the certificates.
            userAnnotations 7 {string} -- Passed on to the signer.
        """
}
