extension KubernetesKinds {
    /// Services and the addresses behind them.
    static let service = """
        package core/v1
        kind Service services svc categories=all subresources=status,proxy
        column Name string name -- Name of the service.
        column Type string -- How far it can be reached.
        column Cluster-IP string -- The virtual address.
        column External-IP string -- Addresses outside.
        column Port(s) string -- The ports.
        column Age string -- Since when it exists.
        column Selector string wide -- Labels of the pods behind it.
        kind Endpoints endpoints ep
        column Name string name -- Name of the service.
        column Endpoints string -- Addresses that are ready.
        column Age string -- Since when it exists.

        type Service -- A stable address for pods, and a name in DNS.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 ServiceSpec -- What is asked for.
            status 3 ServiceStatus -- What was observed last; written by the system.

        type ServiceSpec -- What a service is to be.
            ports 1 [ServicePort] map=port,protocol merge=port -- The ports.
            selector 2 {string} atomic -- Labels of the pods behind it; none when somebody else writes the \
                  endpoints.
            clusterIP 3 string -- The virtual address; None for a headless service.
            clusterIPs 18 [string] atomic -- The virtual addresses, one for each IP family.
            type 4 ServiceType -- How far the service can be reached.
            externalIPs 5 [string] atomic -- Further addresses at which the nodes take traffic for it.
            sessionAffinity 7 ServiceAffinity -- Whether a client is led to the same pod again.
            loadBalancerIP 8 string -- Address wished of the load balancer; deprecated.
            loadBalancerSourceRanges 9 [string] atomic -- Ranges of clients that the load balancer lets in.
            externalName 10 string -- The name that the service stands for, for type ExternalName.
            externalTrafficPolicy 11 ServiceExternalTrafficPolicy -- Whether traffic from outside stays on the \
                  node that it came to.
            healthCheckNodePort 12 int32 -- Port at which load balancers ask whether the node has endpoints.
            publishNotReadyAddresses 13 bool -- Whether pods that are not ready count as ready.
            sessionAffinityConfig 14 SessionAffinityConfig? -- Parameters of the session affinity.
            ipFamilies 19 [IPFamily] atomic -- IPv4, IPv6 or both.
            ipFamilyPolicy 17 IPFamilyPolicy? -- Whether one IP family is wanted or both.
            allocateLoadBalancerNodePorts 20 bool? -- Whether a load balancer needs node ports; true by default.
            loadBalancerClass 21 string? -- Name of the load balancer's implementation.
            internalTrafficPolicy 22 ServiceInternalTrafficPolicy? -- Whether traffic from inside stays on its node.
            trafficDistribution 23 string? -- Which endpoints are preferred.
        enum ServiceType ClusterIP NodePort LoadBalancer ExternalName
        enum ServiceAffinity ClientIP None
        enum ServiceExternalTrafficPolicy Cluster Local
        enum ServiceInternalTrafficPolicy Cluster Local
        enum IPFamily IPv4 IPv6
        enum IPFamilyPolicy SingleStack PreferDualStack RequireDualStack

        type ServicePort -- A port of a service.
            name 1 string -- Name of the port; needed when there are several.
            protocol 2 Protocol default=TCP -- TCP, UDP or SCTP.
            appProtocol 6 string? -- Protocol above the transport, such as kubernetes.io/h2c.
            port 3 int32! -- Port of the service.
            targetPort 4 intOrString -- Port of the pods, by number or name; the service's port when empty.
            nodePort 5 int32 -- Port of every node that leads here; chosen when 0.

        type SessionAffinityConfig -- Parameters of the session affinity.
            clientIP 1 ClientIPConfig? -- For affinity by the client's address.

        type ClientIPConfig -- Affinity by the client's address.
            timeoutSeconds 1 int32? -- How long a client is led to the same pod; three hours by default.

        type ServiceStatus -- What was observed of a service.
            loadBalancer 1 LoadBalancerStatus -- State of the load balancer.
            conditions 2 [Condition] map=type merge=type -- What is known about the state, one entry for each \
                  type of condition.

        type LoadBalancerStatus -- State of a load balancer.
            ingress 1 [LoadBalancerIngress] atomic -- Addresses at which it is reached.

        type LoadBalancerIngress -- An address of a load balancer.
            ip 1 string -- An IP address.
            hostname 2 string -- Host name.
            ipMode 3 string? -- How the load balancer delivers packets.
            ports 4 [PortStatus] atomic -- The ports.

        type PortStatus -- State of a port.
            port 1 int32! -- A port, by number or by name.
            protocol 2 Protocol! -- TCP, UDP or SCTP.
            error 3 string? -- What went wrong, in one word.

        type Endpoints -- The addresses behind a service; EndpointSlice has replaced it.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            subsets 2 [EndpointSubset] atomic -- Addresses with the ports that they have in common.

        type EndpointSubset -- Addresses with the ports that they have in common.
            addresses 1 [EndpointAddress] atomic -- Addresses that are ready.
            notReadyAddresses 2 [EndpointAddress] atomic -- Addresses that are not ready.
            ports 3 [EndpointPort] atomic -- The ports.

        type EndpointAddress atomic -- An address behind a service.
            ip 1 string! -- An IP address.
            hostname 3 string -- Host name.
            nodeName 4 string? -- Name of the node.
            targetRef 2 ObjectReference? -- The object behind it.

        type EndpointPort atomic -- A port of an endpoint.
            name 1 string -- Name of the port.
            port 2 int32! -- A port, by number or by name.
            protocol 3 Protocol -- TCP, UDP or SCTP.
            appProtocol 4 string? -- Protocol above the transport, such as kubernetes.io/h2c.
        """
}
