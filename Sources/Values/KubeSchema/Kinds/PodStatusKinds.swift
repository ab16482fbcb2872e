extension KubernetesKinds {
    /// What is observed of a pod.
    static let podStatus = """
        package core/v1

        type PodStatus -- What was observed of a pod.
            observedGeneration 17 int64 -- The generation that the status was made from.
            phase 1 PodPhase -- Where in its life cycle it is.
            conditions 2 [PodCondition] map=type merge=type -- What is known about the state, one entry for each \
                  type of condition.
            message 3 string -- What happened, for people.
            reason 4 string -- A short cause in one word, for programs.
            nominatedNodeName 11 string -- The node that is being cleared for the pod.
            hostIP 5 string -- Address of the node.
            hostIPs 16 [HostIP] atomic merge=ip -- Addresses of the node.
            podIP 6 string -- Address of the pod.
            podIPs 12 [PodIP] map=ip merge=ip -- Addresses of the pod, one for each IP family.
            startTime 7 time? -- When the node took the pod over.
            initContainerStatuses 10 [ContainerStatus] atomic -- State of the init containers.
            containerStatuses 8 [ContainerStatus] atomic -- State of the containers.
            qosClass 9 PodQOSClass -- Class by which the node evicts pods when memory runs out.
            ephemeralContainerStatuses 13 [ContainerStatus] atomic -- State of the ephemeral containers.
            resize 14 string -- No longer in use.
            resourceClaimStatuses 15 [PodResourceClaimStatus] map=name merge=name retainKeys -- State of the claims.
            extendedResourceClaimStatus 18 PodExtendedResourceClaimStatus? -- Claim that was made for extended \
                  resources.
            allocatedResources 19 {quantity} -- What the node has set aside.
            resources 20 ResourceRequirements? -- What is requested, and what limits hold, at the level of the pod.
        enum PodPhase Pending Running Succeeded Failed Unknown
        enum PodQOSClass Guaranteed Burstable BestEffort

        type PodCondition -- What is known about a pod.
            type 1 string! -- Which type it is.
            observedGeneration 7 int64 -- The generation that the status was made from.
            status 2 string! -- What was observed last; written by the system.
            lastProbeTime 3 time -- When the condition was checked last.
            lastTransitionTime 4 time -- When the status changed last.
            reason 5 string -- A short cause in one word, for programs.
            message 6 string -- What happened, for people.

        type HostIP -- An address of a node.
            ip 1 string! -- An IP address.

        type PodIP -- An address of a pod.
            ip 1 string! -- An IP address.

        type ContainerStatus -- State of a container.
            name 1 string! -- Name of the container.
            state 2 ContainerState -- How the container is now.
            lastState 3 ContainerState -- How the container ended the last time.
            ready 4 bool! -- Whether the container is ready.
            restartCount 5 int32! -- How often the container was restarted.
            image 6 string! -- The image that runs.
            imageID 7 string! -- Identity of the image.
            containerID 8 string -- Identity of the container, with its runtime before it.
            started 9 bool? -- Whether the startup probe has succeeded.
            allocatedResources 10 {quantity} -- What the node has set aside.
            resources 11 ResourceRequirements? -- What is in force.
            volumeMounts 12 [VolumeMountStatus] map=mountPath merge=mountPath -- Mounts as they are.
            user 13 ContainerUser? -- The user that the first process runs as.
            allocatedResourcesStatus 14 [ResourceStatus] map=name merge=name -- Health of devices.
            stopSignal 15 Signal? -- The signal that stops the container.

        type ContainerState -- How a container is; one of these.
            waiting 1 ContainerStateWaiting? -- It does not run yet.
            running 2 ContainerStateRunning? -- It runs.
            terminated 3 ContainerStateTerminated? -- It has ended.

        type ContainerStateWaiting -- A container that does not run yet.
            reason 1 string -- A short cause in one word, for programs.
            message 2 string -- What happened, for people.

        type ContainerStateRunning -- A container that runs.
            startedAt 1 time -- When it was started.

        type ContainerStateTerminated -- A container that has ended.
            exitCode 1 int32! -- Exit code of the program.
            signal 2 int32 -- Signal that ended the program.
            reason 3 string -- A short cause in one word, for programs.
            message 4 string -- What happened, for people.
            startedAt 5 time -- When it was started.
            finishedAt 6 time -- When it ended.
            containerID 7 string -- Identity of the container, with its runtime before it.

        type VolumeMountStatus -- A mount as it is.
            name 1 string! -- Name of the volume.
            mountPath 2 string! -- Path in the container.
            readOnly 3 bool -- Mounts the volume read-only.
            recursiveReadOnly 4 string? -- Whether mounts below are read-only too.
            volumeStatus 5 VolumeStatus? -- State of the volume.

        type VolumeStatus -- State of a volume.
            image 1 ImageVolumeStatus? -- State of an image volume.

        type ImageVolumeStatus -- State of an image volume.
            imageRef 1 string -- Digest of the image.

        type ContainerUser -- The user that a container runs as.
            linux 1 LinuxContainerUser? -- The user on Linux.

        type LinuxContainerUser -- The user that a container runs as on Linux.
            uid 1 int64! -- User.
            gid 2 int64! -- Group.
            supplementalGroups 3 [int64] atomic -- Further groups of the programs.

        type ResourceStatus -- Health of a resource.
            name 1 string! -- Name of the resource.
            resources 2 [ResourceHealth] map=resourceID -- Health of each device.

        type ResourceHealth -- Health of a device.
            resourceID 1 string! -- Identity of the device.
            health 2 string -- Healthy, Unhealthy or Unknown.
            message 6 string? -- What happened, for people.

        type PodResourceClaimStatus -- State of a claim of a pod.
            name 1 string! -- Name of the claim in the pod.
            resourceClaimName 2 string? -- Name of the claim in the namespace.

        type PodExtendedResourceClaimStatus -- The claim for extended resources.
            requestMappings 1 [ContainerExtendedResourceRequest]! atomic -- Which container asked for which \
                  resource.
            resourceClaimName 2 string! -- Name of the claim.

        type ContainerExtendedResourceRequest -- A request for an extended resource.
            containerName 1 string! -- Name of the container.
            resourceName 2 string! -- Name of the resource.
            requestName 3 string! -- Name of the request in the claim.
        """
}
