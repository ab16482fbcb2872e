extension KubernetesKinds {
    /// Nodes and namespaces.
    static let node = """
        package core/v1
        kind Namespace namespaces ns cluster subresources=status,finalize
        column Name string name -- Name of the namespace.
        column Status string -- Phase of the namespace.
        column Age string -- Since when it exists.
        kind Node nodes no cluster subresources=status,proxy
        column Name string name -- Name of the node.
        column Status string -- Whether the node is ready and takes pods.
        column Roles string -- Roles of the node, from its labels.
        column Age string -- Since when it exists.
        column Version string -- Version of the node agent.
        column Internal-IP string wide -- Address inside.
        column External-IP string wide -- Address outside.
        column OS-Image string wide -- Name of the distribution.
        column Kernel-Version string wide -- Version of the kernel.
        column Container-Runtime string wide -- Name and version of the runtime.

        type Namespace -- A scope for names, and what goes away together.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 NamespaceSpec -- What is asked for.
            status 3 NamespaceStatus -- What was observed last; written by the system.

        type NamespaceSpec -- What a namespace is to have.
            finalizers 1 [string] atomic -- What must let go before the namespace is removed.

        type NamespaceStatus -- What was observed of a namespace.
            phase 1 NamespacePhase -- Where in its life cycle it is.
            conditions 2 [NamespaceCondition] map=type merge=type -- What is known about the state, one entry for \
                  each type of condition.
        enum NamespacePhase Active Terminating

        type NamespaceCondition -- What is known about a namespace.
            type 1 string! -- Which type it is.
            status 2 string! -- What was observed last; written by the system.
            lastTransitionTime 4 time -- When the status changed last.
            reason 5 string -- A short cause in one word, for programs.
            message 6 string -- What happened, for people.

        type Node -- A machine that runs pods.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 NodeSpec -- What is asked for.
            status 3 NodeStatus -- What was observed last; written by the system.

        type NodeSpec -- What a node is to be.
            podCIDR 1 string -- The range of addresses of the node's pods.
            podCIDRs 7 [string] set merge -- The ranges of addresses of the node's pods, one for each IP family.
            providerID 3 string -- Identity of the machine at its provider.
            unschedulable 4 bool -- Whether no new pods are placed here (cordoned).
            taints 5 [Taint] atomic -- What keeps pods away that do not tolerate it.
            configSource 6 NodeConfigSource? -- No longer in use.
            externalID 2 string -- No longer in use.

        type Taint -- Keeps pods away that do not tolerate it.
            key 1 string! -- The key that is meant.
            value 2 string -- The value.
            effect 3 TaintEffect! -- What becomes of pods that do not tolerate it.
            timeAdded 4 time? -- When the taint was added, for NoExecute.
        enum TaintEffect NoSchedule PreferNoSchedule NoExecute

        type NodeConfigSource -- No longer in use.
            configMap 2 ConfigMapNodeConfigSource? -- Where the configuration was.

        type ConfigMapNodeConfigSource -- No longer in use.
            namespace 1 string! -- Namespace of the object that is meant.
            name 2 string! -- Name of the object that is meant.
            uid 3 string -- Identity of the object that is meant.
            resourceVersion 4 string -- Version of the object.
            kubeletConfigKey 5 string! -- The key that held the configuration.

        type NodeStatus -- What was observed of a node.
            capacity 1 {quantity} -- What there is, by resource.
            allocatable 2 {quantity} -- What pods may use, by resource.
            phase 3 NodePhase -- Where in its life cycle it is.
            conditions 4 [NodeCondition] map=type merge=type -- What is known about the state, one entry for each \
                  type of condition.
            addresses 5 [NodeAddress] map=type merge=type -- Addresses of the node.
            daemonEndpoints 6 NodeDaemonEndpoints -- Ports of the node's own servers.
            nodeInfo 7 NodeSystemInfo -- What system the node runs.
            images 8 [ContainerImage] atomic -- Images that the node has.
            volumesInUse 9 [string] atomic -- Volumes that are mounted.
            volumesAttached 10 [AttachedVolume] atomic -- Volumes that are attached.
            config 11 NodeConfigStatus? -- No longer in use.
            runtimeHandlers 12 [NodeRuntimeHandler] atomic -- What the node's runtimes are called, and can do.
            features 13 NodeFeatures? -- What the node's runtimes can do.
            declaredFeatures 14 [string] atomic -- What the node can do.
        enum NodePhase Pending Running Terminated

        type NodeCondition -- What is known about a node.
            type 1 string! -- Which type it is.
            status 2 string! -- What was observed last; written by the system.
            lastHeartbeatTime 3 time -- When the condition was reported last.
            lastTransitionTime 4 time -- When the status changed last.
            reason 5 string -- A short cause in one word, for programs.
            message 6 string -- What happened, for people.

        type NodeAddress -- An address of a node.
            type 1 string! -- Which type it is.
            address 2 string! -- The address.

        type NodeDaemonEndpoints -- Ports of the node's own servers.
            kubeletEndpoint 1 DaemonEndpoint -- The port of the node agent.

        type DaemonEndpoint -- A port.
            Port 1 int32! -- The number of the port.

        type NodeSystemInfo -- What system a node runs.
            machineID 1 string! -- Identity from /etc/machine-id.
            systemUUID 2 string! -- Identity of the machine's board.
            bootID 3 string! -- Identity of the boot.
            kernelVersion 4 string! -- Version of the kernel.
            osImage 5 string! -- Name of the distribution.
            containerRuntimeVersion 6 string! -- Name and version of the runtime.
            kubeletVersion 7 string! -- Version of the node agent.
            kubeProxyVersion 8 string! -- No longer meaningful.
            operatingSystem 9 string! -- The operating system: linux.
            architecture 10 string! -- The processor's architecture.
            swap 11 NodeSwapStatus? -- What swap there is.

        type NodeSwapStatus -- What swap a node has.
            capacity 1 int64? -- What there is, by resource.

        type ContainerImage -- An image that a node has.
            names 1 [string] atomic -- Names.
            sizeBytes 2 int64 -- How large the image is.

        type AttachedVolume -- A volume that is attached to a node.
            name 1 string! -- Name of the object that is meant.
            devicePath 2 string! -- Path of the device.

        type NodeConfigStatus -- No longer in use.
            assigned 1 NodeConfigSource? -- No longer in use.
            active 2 NodeConfigSource? -- No longer in use.
            lastKnownGood 3 NodeConfigSource? -- No longer in use.
            error 4 string -- What went wrong, in one word.

        type NodeRuntimeHandler -- A runtime of a node.
            name 1 string -- Name of the object that is meant.
            features 2 NodeRuntimeHandlerFeatures? -- What it can do.

        type NodeRuntimeHandlerFeatures -- What a runtime can do.
            recursiveReadOnlyMounts 1 bool? -- Whether mounts below a read-only mount can be read-only too.
            userNamespaces 2 bool? -- Whether pods can have their own user namespace.

        type NodeFeatures -- What a node can do.
            supplementalGroupsPolicy 1 bool? -- Whether supplementalGroupsPolicy has an effect.
        """
}
