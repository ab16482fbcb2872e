extension KubernetesKinds {
    /// The pod and what it asks for.
    static let pod = """
        package core/v1
        kind Pod pods po categories=all \
              subresources=status,log,exec,attach,portforward,proxy,eviction,binding,ephemeralcontainers,resize
        column Name string name -- Name of the pod.
        column Ready string -- How many containers are ready, of how many.
        column Status string -- Phase of the pod, or what holds it up.
        column Restarts string -- How often its containers were restarted, and when last.
        column Age string -- Since when it exists.
        column IP string wide -- Address of the pod.
        column Node string wide -- Node that the pod is on.
        column Nominated_Node string wide -- Node that is being cleared for the pod.
        column Readiness_Gates string wide -- How many readiness gates are open, of how many.
        kind PodTemplate podtemplates
        column Name string name -- Name of the template.
        column Containers string -- Names of the containers.
        column Images string -- Images of the containers.
        column Pod_Labels string -- Labels of the pods.
        kind Binding bindings virtual

        type Pod -- Containers that live and die together on one node and share its network namespace.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 PodSpec -- What is asked for.
            status 3 PodStatus -- What was observed last; written by the system.

        type PodSpec -- What a pod runs, and how.
            volumes 1 [Volume] map=name merge=name retainKeys -- Volumes that containers of the pod may mount.
            initContainers 20 [Container] map=name merge=name -- Containers that run one after the other before \
                  the rest; those with restartPolicy Always stay.
            containers 2 [Container]! map=name merge=name -- The containers; at least one.
            ephemeralContainers 34 [EphemeralContainer] map=name merge=name -- Containers added to a running pod \
                  for debugging, through the subresource of that name.
            restartPolicy 3 RestartPolicy -- When containers that ended are started again.
            terminationGracePeriodSeconds 4 int64? -- How long programs have between SIGTERM and SIGKILL; 30 by \
                  default.
            activeDeadlineSeconds 5 int64? -- How long the pod may be active before it is failed.
            dnsPolicy 6 DNSPolicy -- Where names are looked up.
            nodeSelector 7 {string} atomic -- Labels that the node must have.
            serviceAccountName 8 string -- The service account that the pod acts as; default when empty.
            serviceAccount 9 string -- Old name of serviceAccountName.
            automountServiceAccountToken 21 bool? -- Whether pods get the token of the service account mounted.
            nodeName 10 string -- The node that the pod is on; filled in by the scheduler.
            hostNetwork 11 bool -- Uses the node's network namespace.
            hostPID 12 bool -- Uses the node's process namespace.
            hostIPC 13 bool -- Uses the node's IPC namespace.
            shareProcessNamespace 27 bool? -- Whether the containers share one process namespace.
            securityContext 14 PodSecurityContext? -- Settings that hold for all containers.
            imagePullSecrets 15 [LocalObjectReference] map=name merge=name -- Secrets with the credentials of \
                  image registries.
            hostname 16 string -- Host name of the pod; its name when empty.
            subdomain 17 string -- Name of the headless service that gives the pod its name in DNS.
            affinity 18 Affinity? -- What places are wanted, or to be avoided.
            schedulerName 19 string -- The scheduler that places the pod.
            tolerations 22 [Toleration] atomic -- Taints that are tolerated.
            hostAliases 23 [HostAlias] map=ip merge=ip -- Lines that are added to /etc/hosts.
            priorityClassName 24 string -- Name of the priority class.
            priority 25 int32? -- The priority; filled in from the class.
            dnsConfig 26 PodDNSConfig? -- What is added to resolv.conf.
            readinessGates 28 [PodReadinessGate] atomic -- Conditions that must be true, besides the containers' \
                  readiness, for the pod to be ready.
            runtimeClassName 29 string? -- Name of the runtime class.
            enableServiceLinks 30 bool? -- Whether services become environment variables; true by default.
            preemptionPolicy 31 PreemptionPolicy? -- Whether the pod may drive out others of lower priority.
            overhead 32 {quantity} -- What running the pod costs beyond its containers; filled in from the \
                  runtime class.
            topologySpreadConstraints 33 [TopologySpreadConstraint] map=topologyKey,whenUnsatisfiable \
                  merge=topologyKey -- How pods are to be spread over nodes and zones.
            setHostnameAsFQDN 35 bool? -- Whether the host name is the fully qualified one.
            os 36 PodOS? -- The operating system that the pod is for.
            hostUsers 37 bool? -- Whether the pod uses the node's user namespace; true by default.
            schedulingGates 38 [PodSchedulingGate] map=name merge=name -- The pod is not placed as long as one of \
                  these is there.
            resourceClaims 39 [PodResourceClaim] map=name merge=name retainKeys -- Claims that must be allocated \
                  before the pod starts.
            resources 40 ResourceRequirements? -- What the pod as a whole requests and is limited to.
            hostnameOverride 41 string? -- Host name of the pod, whatever its name and subdomain are.
        enum RestartPolicy Always OnFailure Never
        enum DNSPolicy ClusterFirstWithHostNet ClusterFirst Default None
        enum PreemptionPolicy PreemptLowerPriority Never

        type LocalObjectReference atomic -- The name of an object in the same namespace.
            name 1 string -- Name of the object that is meant.

        type PodSecurityContext -- Settings that hold for all containers of a pod.
            seLinuxOptions 1 SELinuxOptions? -- Labels of SELinux.
            windowsOptions 8 WindowsSecurityContextOptions? -- Settings of Windows; without effect on Linux.
            runAsUser 2 int64? -- User that programs run as; the image's when empty.
            runAsGroup 6 int64? -- Group that programs run as; the image's when empty.
            runAsNonRoot 3 bool? -- Refuses to start as user 0.
            supplementalGroups 4 [int64] atomic -- Further groups of the programs.
            supplementalGroupsPolicy 12 SupplementalGroupsPolicy? -- Whether groups of the image are kept.
            fsGroup 5 int64? -- Group that owns the volumes, and that programs are in.
            sysctls 7 [Sysctl] atomic -- Kernel parameters of the pod's namespaces.
            fsGroupChangePolicy 9 PodFSGroupChangePolicy? -- When the ownership of a volume is changed.
            seccompProfile 10 SeccompProfile? -- Filter of system calls.
            appArmorProfile 11 AppArmorProfile? -- Profile of AppArmor.
            seLinuxChangePolicy 13 string? -- How labels of volumes are changed.
        enum SupplementalGroupsPolicy Merge Strict
        enum PodFSGroupChangePolicy OnRootMismatch Always

        type Sysctl -- A kernel parameter.
            name 1 string! -- Name of the parameter.
            value 2 string! -- The value.

        type HostAlias -- A line of /etc/hosts.
            ip 1 string! -- An IP address.
            hostnames 2 [string] atomic -- Names of the address.

        type PodDNSConfig -- What is added to resolv.conf.
            nameservers 1 [string] atomic -- Addresses of name servers.
            searches 2 [string] atomic -- Domains in which short names are looked up.
            options 3 [PodDNSConfigOption] atomic -- Further options.

        type PodDNSConfigOption -- An option of the resolver.
            name 1 string -- Name of the option.
            value 2 string? -- The value.

        type PodReadinessGate -- A condition that must be true for the pod to be ready.
            conditionType 1 string! -- Type of the condition.

        type PodOS -- The operating system that a pod is for.
            name 1 string! -- linux or windows.

        type PodSchedulingGate -- Keeps a pod from being placed.
            name 1 string! -- Name of the gate.

        type PodResourceClaim -- A claim that a pod uses.
            name 1 string! -- Name of the claim in the pod.
            resourceClaimName 3 string? -- Name of the claim in the namespace.
            resourceClaimTemplateName 4 string? -- Name of the template that the claim is made from.

        type PodTemplate -- A template of pods.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            template 2 PodTemplateSpec -- The pods that are made.

        type PodTemplateSpec -- What pods are made like.
            metadata 1 ObjectMeta -- Labels and annotations of the pods.
            spec 2 PodSpec -- What the pods run.

        type Binding -- Puts a pod on a node.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            target 2 ObjectReference! -- The node.

        type SELinuxOptions -- Labels of SELinux.
            user 1 string -- The user label.
            role 2 string -- The role label.
            type 3 string -- The type label.
            level 4 string -- The level label.

        type WindowsSecurityContextOptions -- Settings of Windows.
            gmsaCredentialSpecName 1 string? -- Name of the credential.
            gmsaCredentialSpec 2 string? -- The credential.
            runAsUserName 3 string? -- User that programs run as.
            hostProcess 4 bool? -- Whether the container runs on the host.

        type SeccompProfile -- Which filter of system calls holds.
            type 1 SeccompProfileType! -- Which type it is.
            localhostProfile 2 string? -- Profile of the node, for type Localhost.
        enum SeccompProfileType Unconfined RuntimeDefault Localhost

        type AppArmorProfile -- Which profile of AppArmor holds.
            type 1 AppArmorProfileType! -- Which type it is.
            localhostProfile 2 string? -- Profile of the node, for type Localhost.
        enum AppArmorProfileType Unconfined RuntimeDefault Localhost
        """
}
