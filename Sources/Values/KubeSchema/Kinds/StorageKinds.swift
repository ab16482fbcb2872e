extension KubernetesKinds {
    /// Persistent volumes and claims.
    static let storage = """
        package core/v1
        kind PersistentVolume persistentvolumes pv cluster subresources=status
        column Name string name -- Name of the volume.
        column Capacity string -- How large it is.
        column Access_Modes string -- How it may be mounted.
        column Reclaim_Policy string -- What becomes of it when its claim is gone.
        column Status string -- Phase of the volume.
        column Claim string -- The claim that is bound.
        column StorageClass string -- Its storage class.
        column VolumeAttributesClass string -- Its class of attributes.
        column Reason string -- A short cause.
        column Age string -- Since when it exists.
        column VolumeMode string wide -- File system or block device.
        kind PersistentVolumeClaim persistentvolumeclaims pvc subresources=status
        column Name string name -- Name of the claim.
        column Status string -- Phase of the claim.
        column Volume string -- The volume that is bound.
        column Capacity string -- How large it is.
        column Access_Modes string -- How it may be mounted.
        column StorageClass string -- Its storage class.
        column VolumeAttributesClass string -- Its class of attributes.
        column Age string -- Since when it exists.
        column VolumeMode string wide -- File system or block device.

        type PersistentVolume -- A piece of storage.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 PersistentVolumeSpec -- What is asked for.
            status 3 PersistentVolumeStatus -- What was observed last; written by the system.

        type PersistentVolumeSpec -- What a volume is.
            capacity 1 {quantity} -- What there is, by resource.
            persistentVolumeSource 2 inline PersistentVolumeSource
            accessModes 3 [PersistentVolumeAccessMode] atomic -- How the volume may be mounted: by one node or \
                  several, for reading or writing.
            claimRef 4 ObjectReference? -- The claim that is bound.
            persistentVolumeReclaimPolicy 5 PersistentVolumeReclaimPolicy -- What becomes of the volume when its \
                  claim is gone.
            storageClassName 6 string -- Name of the storage class.
            mountOptions 7 [string] atomic -- Options of the mount, not checked.
            volumeMode 8 PersistentVolumeMode? -- Whether the volume is a file system or a block device.
            nodeAffinity 9 VolumeNodeAffinity? -- Nodes that can reach the volume.
            volumeAttributesClassName 10 string? -- Name of the class of attributes of the volume.
        enum PersistentVolumeAccessMode ReadWriteOnce ReadOnlyMany ReadWriteMany ReadWriteOncePod
        enum PersistentVolumeMode Block Filesystem
        enum PersistentVolumeReclaimPolicy Recycle Delete Retain
        enum PersistentVolumePhase Pending Available Bound Released Failed

        type PersistentVolumeSource -- Where a volume is; one of these.
            gcePersistentDisk 1 GCEPersistentDiskVolumeSource? -- A disk of Google Compute Engine.
            awsElasticBlockStore 2 AWSElasticBlockStoreVolumeSource? -- A disk of AWS.
            hostPath 3 HostPathVolumeSource? -- A file or directory of the node.
            glusterfs 4 GlusterfsPersistentVolumeSource? -- A volume of Gluster; deprecated.
            nfs 5 NFSVolumeSource? -- A directory of an NFS server.
            rbd 6 RBDPersistentVolumeSource? -- A Ceph block device.
            iscsi 7 ISCSIPersistentVolumeSource? -- A disk reached through iSCSI.
            cinder 8 CinderPersistentVolumeSource? -- A disk of OpenStack.
            cephfs 9 CephFSPersistentVolumeSource? -- A Ceph file system.
            fc 10 FCVolumeSource? -- A disk reached through Fibre Channel.
            flocker 11 FlockerVolumeSource? -- A volume of Flocker; deprecated.
            flexVolume 12 FlexPersistentVolumeSource? -- A volume of a FlexVolume driver; deprecated.
            azureFile 13 AzureFilePersistentVolumeSource? -- A file share of Azure.
            vsphereVolume 14 VsphereVirtualDiskVolumeSource? -- A disk of vSphere.
            quobyte 15 QuobyteVolumeSource? -- A volume of Quobyte; deprecated.
            azureDisk 16 AzureDiskVolumeSource? -- A disk of Azure.
            photonPersistentDisk 17 PhotonPersistentDiskVolumeSource? -- A disk of Photon; deprecated.
            portworxVolume 18 PortworxVolumeSource? -- A volume of Portworx; deprecated.
            scaleIO 19 ScaleIOPersistentVolumeSource? -- A volume of ScaleIO; deprecated.
            local 20 LocalVolumeSource? -- A disk or directory of one node.
            storageos 21 StorageOSPersistentVolumeSource? -- A volume of StorageOS; deprecated.
            csi 22 CSIPersistentVolumeSource? -- A volume of a CSI driver.

        type VolumeNodeAffinity -- Nodes that can reach a volume.
            required 1 NodeSelector? -- What nodes must have.

        type PersistentVolumeStatus -- What was observed of a volume.
            phase 1 PersistentVolumePhase -- Where in its life cycle it is.
            message 2 string -- What happened, for people.
            reason 3 string -- A short cause in one word, for programs.
            lastPhaseTransitionTime 4 time? -- When the phase changed last.

        type PersistentVolumeClaim -- A request for storage.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 PersistentVolumeClaimSpec -- What is asked for.
            status 3 PersistentVolumeClaimStatus -- What was observed last; written by the system.

        type PersistentVolumeClaimTemplate -- A claim that is made for a pod.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 PersistentVolumeClaimSpec! -- What is asked for.

        type PersistentVolumeClaimSpec -- What volume is wanted.
            accessModes 1 [PersistentVolumeAccessMode] atomic -- How the volume may be mounted: by one node or \
                  several, for reading or writing.
            selector 4 LabelSelector? -- Which volumes fit, by their labels.
            resources 2 VolumeResourceRequirements -- How large the volume must be.
            volumeName 3 string -- The volume that is bound.
            storageClassName 5 string? -- Name of the storage class.
            volumeMode 6 PersistentVolumeMode? -- Whether the volume is a file system or a block device.
            dataSource 7 TypedLocalObjectReference? -- What the volume is filled from, in the same namespace.
            dataSourceRef 8 TypedObjectReference? -- What the volume is filled from, of any kind.
            volumeAttributesClassName 9 string? -- Name of the class of attributes of the volume.

        type VolumeResourceRequirements -- How large a volume must be.
            limits 1 {quantity} -- The most that may be used, by resource.
            requests 2 {quantity} -- What is set aside, by resource.

        type TypedLocalObjectReference atomic -- An object of some kind in the same namespace.
            apiGroup 1 string? -- API group of the object that is meant.
            kind 2 string! -- Kind of the object that is meant.
            name 3 string! -- Name of the object that is meant.

        type TypedObjectReference -- An object of some kind.
            apiGroup 1 string? -- API group of the object that is meant.
            kind 2 string! -- Kind of the object that is meant.
            name 3 string! -- Name of the object that is meant.
            namespace 4 string? -- Namespace of the object that is meant.

        type PersistentVolumeClaimStatus -- What was observed of a claim.
            phase 1 PersistentVolumeClaimPhase -- Where in its life cycle it is.
            accessModes 2 [PersistentVolumeAccessMode] atomic -- How the volume may be mounted: by one node or \
                  several, for reading or writing.
            capacity 3 {quantity} -- What there is, by resource.
            conditions 4 [PersistentVolumeClaimCondition] map=type merge=type -- What is known about the state, \
                  one entry for each type of condition.
            allocatedResources 5 {quantity} -- What the node has set aside.
            allocatedResourceStatuses 7 {ClaimResourceStatus} -- How far a change of size is, by resource.
            currentVolumeAttributesClassName 8 string? -- Class of attributes that is in force.
            modifyVolumeStatus 9 ModifyVolumeStatus? -- How far a change of the class of attributes is.
        enum PersistentVolumeClaimPhase Pending Bound Lost
        enum ClaimResourceStatus ControllerResizeInProgress ControllerResizeInfeasible NodeResizePending \
              NodeResizeInProgress NodeResizeInfeasible

        type PersistentVolumeClaimCondition -- What is known about a claim.
            type 1 string! -- Which type it is.
            status 2 string! -- What was observed last; written by the system.
            lastProbeTime 3 time -- When the condition was checked last.
            lastTransitionTime 4 time -- When the status changed last.
            reason 5 string -- A short cause in one word, for programs.
            message 6 string -- What happened, for people.

        type ModifyVolumeStatus -- How far a change of the class of attributes is.
            targetVolumeAttributesClassName 1 string -- The class that is being changed to.
            status 2 PersistentVolumeClaimModifyVolumeStatus! -- How far it is.
        enum PersistentVolumeClaimModifyVolumeStatus Pending InProgress Infeasible

        type TopologySelectorTerm atomic -- Places where volumes may be made.
            matchLabelExpressions 1 [TopologySelectorLabelRequirement] atomic -- Requirements to labels of places.

        type TopologySelectorLabelRequirement -- A requirement to a label of a place.
            key 1 string! -- The key that is meant.
            values 2 [string]! atomic -- What the key is compared with.
        """
}
