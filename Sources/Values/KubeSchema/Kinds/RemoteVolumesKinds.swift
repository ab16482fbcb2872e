extension KubernetesKinds {
    /// Volumes of other machines and clouds: known so that their manifests can be read.
    static let remoteVolumes = """
        package core/v1

        type GCEPersistentDiskVolumeSource -- A disk of Google Compute Engine.
            pdName 1 string! -- Name of the disk.
            fsType 2 string -- File system of the volume; the driver's own default when empty.
            partition 3 int32 -- Partition of the device to mount; 0 for the whole.
            readOnly 4 bool -- Mounts the volume read-only.

        type AWSElasticBlockStoreVolumeSource -- A disk of AWS.
            volumeID 1 string! -- Identity of the volume at its provider.
            fsType 2 string -- File system of the volume; the driver's own default when empty.
            partition 3 int32 -- Partition of the device to mount; 0 for the whole.
            readOnly 4 bool -- Mounts the volume read-only.

        type ISCSIVolumeSource -- A disk reached through iSCSI.
            targetPortal 1 string! -- Address of the iSCSI portal.
            iqn 2 string! -- Name of the iSCSI target.
            lun 3 int32! -- Number of the logical unit.
            iscsiInterface 4 string default=default -- Name of the iSCSI interface.
            fsType 5 string -- File system of the volume; the driver's own default when empty.
            readOnly 6 bool -- Mounts the volume read-only.
            portals 7 [string] atomic -- Addresses of further portals.
            chapAuthDiscovery 8 bool -- Whether CHAP is used for discovery.
            chapAuthSession 11 bool -- Whether CHAP is used for sessions.
            secretRef 10 LocalObjectReference? -- Secret with the credentials.
            initiatorName 12 string? -- Name of the initiator.

        type GlusterfsVolumeSource -- A volume of Gluster; deprecated.
            endpoints 1 string! -- Name of the endpoints.
            path 2 string! -- Path of the file or directory.
            readOnly 3 bool -- Mounts the volume read-only.

        type RBDVolumeSource -- A Ceph block device.
            monitors 1 [string]! atomic -- Addresses of the Ceph monitors.
            image 2 string! -- Name of the image.
            fsType 3 string -- File system of the volume; the driver's own default when empty.
            pool 4 string default=rbd -- Ceph pool of the image.
            user 5 string default=admin -- User that the volume is accessed as.
            keyring 6 string default=/etc/ceph/keyring -- Path of the key ring of the user.
            secretRef 7 LocalObjectReference? -- Secret with the credentials.
            readOnly 8 bool -- Mounts the volume read-only.

        type FlexVolumeSource -- A volume of a FlexVolume driver; deprecated.
            driver 1 string! -- Name of the driver that serves the volume.
            fsType 2 string -- File system of the volume; the driver's own default when empty.
            secretRef 3 LocalObjectReference? -- Secret with the credentials.
            readOnly 4 bool -- Mounts the volume read-only.
            options 5 {string} -- Further options.

        type CinderVolumeSource -- A disk of OpenStack.
            volumeID 1 string! -- Identity of the volume at its provider.
            fsType 2 string -- File system of the volume; the driver's own default when empty.
            readOnly 3 bool -- Mounts the volume read-only.
            secretRef 4 LocalObjectReference? -- Secret with the credentials.

        type CephFSVolumeSource -- A Ceph file system.
            monitors 1 [string]! atomic -- Addresses of the Ceph monitors.
            path 2 string -- Path of the file or directory.
            user 3 string -- User that the volume is accessed as.
            secretFile 4 string -- Path of the file with the key.
            secretRef 5 LocalObjectReference? -- Secret with the credentials.
            readOnly 6 bool -- Mounts the volume read-only.

        type FlockerVolumeSource -- A volume of Flocker; deprecated.
            datasetName 1 string -- Name of the data set.
            datasetUUID 2 string -- Identity of the data set.

        type FCVolumeSource -- A disk reached through Fibre Channel.
            targetWWNs 1 [string] atomic -- World wide names of the targets.
            lun 2 int32? -- Number of the logical unit.
            fsType 3 string -- File system of the volume; the driver's own default when empty.
            readOnly 4 bool -- Mounts the volume read-only.
            wwids 5 [string] atomic -- World wide identifiers of the volume.

        type AzureFileVolumeSource -- A file share of Azure.
            secretName 1 string! -- Name of the secret with account and key.
            shareName 2 string! -- Name of the share.
            readOnly 3 bool -- Mounts the volume read-only.

        type VsphereVirtualDiskVolumeSource -- A disk of vSphere.
            volumePath 1 string! -- Path of the disk.
            fsType 2 string -- File system of the volume; the driver's own default when empty.
            storagePolicyName 3 string -- Name of the storage policy.
            storagePolicyID 4 string -- Identity of the storage policy.

        type QuobyteVolumeSource -- A volume of Quobyte; deprecated.
            registry 1 string! -- Addresses of the registry.
            volume 2 string! -- Name of the volume.
            readOnly 3 bool -- Mounts the volume read-only.
            user 4 string -- User that the volume is accessed as.
            group 5 string -- Group that the volume is accessed as.
            tenant 6 string -- Owner of the volume.

        type AzureDiskVolumeSource -- A disk of Azure.
            diskName 1 string! -- Name of the disk.
            diskURI 2 string! -- URI of the disk.
            cachingMode 3 AzureDataDiskCachingMode? default=ReadWrite -- How the host caches.
            fsType 4 string? default=ext4 -- File system of the volume; the driver's own default when empty.
            readOnly 5 bool? -- Mounts the volume read-only.
            kind 6 AzureDataDiskKind? default=Shared -- Whether the disk is shared, dedicated or managed.
        enum AzureDataDiskCachingMode None ReadOnly ReadWrite
        enum AzureDataDiskKind Shared Dedicated Managed

        type PhotonPersistentDiskVolumeSource -- A disk of Photon; deprecated.
            pdID 1 string! -- Identity of the disk.
            fsType 2 string -- File system of the volume; the driver's own default when empty.

        type PortworxVolumeSource -- A volume of Portworx; deprecated.
            volumeID 1 string! -- Identity of the volume at its provider.
            fsType 2 string -- File system of the volume; the driver's own default when empty.
            readOnly 3 bool -- Mounts the volume read-only.

        type ScaleIOVolumeSource -- A volume of ScaleIO; deprecated.
            gateway 1 string! -- Address of the gateway.
            system 2 string! -- Name of the storage system.
            secretRef 3 LocalObjectReference?! -- Secret with the credentials.
            sslEnabled 4 bool -- Whether the connection is encrypted.
            protectionDomain 5 string -- Name of the protection domain.
            storagePool 6 string -- Name of the storage pool.
            storageMode 7 string default=ThinProvisioned -- Whether storage is thick or thin.
            volumeName 8 string -- Name of the volume.
            fsType 9 string default=xfs -- File system of the volume; the driver's own default when empty.
            readOnly 10 bool -- Mounts the volume read-only.

        type StorageOSVolumeSource -- A volume of StorageOS; deprecated.
            volumeName 1 string -- Name of the volume.
            volumeNamespace 2 string -- Namespace of the volume.
            fsType 3 string -- File system of the volume; the driver's own default when empty.
            readOnly 4 bool -- Mounts the volume read-only.
            secretRef 5 LocalObjectReference? -- Secret with the credentials.

        type GlusterfsPersistentVolumeSource -- A volume of Gluster; deprecated.
            endpoints 1 string! -- Name of the endpoints.
            path 2 string! -- Path of the file or directory.
            readOnly 3 bool -- Mounts the volume read-only.
            endpointsNamespace 4 string? -- Namespace of the endpoints.

        type RBDPersistentVolumeSource -- A Ceph block device.
            monitors 1 [string]! atomic -- Addresses of the Ceph monitors.
            image 2 string! -- Name of the image.
            fsType 3 string -- File system of the volume; the driver's own default when empty.
            pool 4 string default=rbd -- Ceph pool of the image.
            user 5 string default=admin -- User that the volume is accessed as.
            keyring 6 string default=/etc/ceph/keyring -- Path of the key ring of the user.
            secretRef 7 SecretReference? -- Secret with the credentials.
            readOnly 8 bool -- Mounts the volume read-only.

        type SecretReference atomic -- A secret of some namespace.
            name 1 string -- Name of the object that is meant.
            namespace 2 string -- Namespace of the object that is meant.

        type ISCSIPersistentVolumeSource -- A disk reached through iSCSI.
            targetPortal 1 string! -- Address of the iSCSI portal.
            iqn 2 string! -- Name of the iSCSI target.
            lun 3 int32! -- Number of the logical unit.
            iscsiInterface 4 string default=default -- Name of the iSCSI interface.
            fsType 5 string -- File system of the volume; the driver's own default when empty.
            readOnly 6 bool -- Mounts the volume read-only.
            portals 7 [string] atomic -- Addresses of further portals.
            chapAuthDiscovery 8 bool -- Whether CHAP is used for discovery.
            chapAuthSession 11 bool -- Whether CHAP is used for sessions.
            secretRef 10 SecretReference? -- Secret with the credentials.
            initiatorName 12 string? -- Name of the initiator.

        type CinderPersistentVolumeSource -- A disk of OpenStack.
            volumeID 1 string! -- Identity of the volume at its provider.
            fsType 2 string -- File system of the volume; the driver's own default when empty.
            readOnly 3 bool -- Mounts the volume read-only.
            secretRef 4 SecretReference? -- Secret with the credentials.

        type CephFSPersistentVolumeSource -- A Ceph file system.
            monitors 1 [string]! atomic -- Addresses of the Ceph monitors.
            path 2 string -- Path of the file or directory.
            user 3 string -- User that the volume is accessed as.
            secretFile 4 string -- Path of the file with the key.
            secretRef 5 SecretReference? -- Secret with the credentials.
            readOnly 6 bool -- Mounts the volume read-only.

        type FlexPersistentVolumeSource -- A volume of a FlexVolume driver; deprecated.
            driver 1 string! -- Name of the driver that serves the volume.
            fsType 2 string -- File system of the volume; the driver's own default when empty.
            secretRef 3 SecretReference? -- Secret with the credentials.
            readOnly 4 bool -- Mounts the volume read-only.
            options 5 {string} -- Further options.

        type AzureFilePersistentVolumeSource -- A file share of Azure.
            secretName 1 string! -- Name of the secret with account and key.
            shareName 2 string! -- Name of the share.
            readOnly 3 bool -- Mounts the volume read-only.
            secretNamespace 4 string? -- Namespace of the secret.

        type ScaleIOPersistentVolumeSource -- A volume of ScaleIO; deprecated.
            gateway 1 string! -- Address of the gateway.
            system 2 string! -- Name of the storage system.
            secretRef 3 SecretReference?! -- Secret with the credentials.
            sslEnabled 4 bool -- Whether the connection is encrypted.
            protectionDomain 5 string -- Name of the protection domain.
            storagePool 6 string -- Name of the storage pool.
            storageMode 7 string default=ThinProvisioned -- Whether storage is thick or thin.
            volumeName 8 string -- Name of the volume.
            fsType 9 string default=xfs -- File system of the volume; the driver's own default when empty.
            readOnly 10 bool -- Mounts the volume read-only.

        type StorageOSPersistentVolumeSource -- A volume of StorageOS; deprecated.
            volumeName 1 string -- Name of the volume.
            volumeNamespace 2 string -- Namespace of the volume.
            fsType 3 string -- File system of the volume; the driver's own default when empty.
            readOnly 4 bool -- Mounts the volume read-only.
            secretRef 5 ObjectReference? -- Secret with the credentials.

        type CSIPersistentVolumeSource -- A volume of a CSI driver.
            driver 1 string! -- Name of the driver that serves the volume.
            volumeHandle 2 string! -- Identity of the volume at the driver.
            readOnly 3 bool -- Mounts the volume read-only.
            fsType 4 string -- File system of the volume; the driver's own default when empty.
            volumeAttributes 5 {string} -- Parameters of the driver.
            controllerPublishSecretRef 6 SecretReference? -- Secret for publishing at the controller.
            nodeStageSecretRef 7 SecretReference? -- Secret for staging at the node.
            nodePublishSecretRef 8 SecretReference? -- Secret for publishing at the node.
            controllerExpandSecretRef 9 SecretReference? -- Secret for growing at the controller.
            nodeExpandSecretRef 10 SecretReference? -- Secret for growing at the node.
        """
}
