extension KubernetesKinds {
    /// Ingresses, network policies, endpoint slices.
    static let networking = """
        package networking/v1 networking.k8s.io
        kind Ingress ingresses ing subresources=status
        column Name string name -- Name of the ingress.
        column Class string -- Who serves it.
        column Hosts string -- Its hosts.
        column Address string -- Where it is reached.
        column Ports string -- Its ports.
        column Age string -- Since when it exists.
        kind IngressClass ingressclasses cluster
        column Name string name -- Name of the class.
        column Controller string -- Who serves it.
        column Parameters string -- Object with further parameters.
        column Age string -- Since when it exists.
        kind NetworkPolicy networkpolicies netpol
        column Name string name -- Name of the policy.
        column Pod-Selector string -- The pods that it is for.
        column Age string -- Since when it exists.

        type Ingress -- HTTP from outside, led to services by host and path.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 IngressSpec -- What is asked for.
            status 3 IngressStatus -- What was observed last; written by the system.

        type IngressSpec -- What is led where.
            ingressClassName 4 string? -- Name of the class that serves it.
            defaultBackend 1 IngressBackend? -- Where requests go that no rule holds for.
            tls 2 [IngressTLS] atomic -- Hosts that are served with TLS.
            rules 3 [IngressRule] atomic -- The rules.

        type IngressBackend -- Where requests go; one of these.
            service 4 IngressServiceBackend? -- A service.
            resource 3 TypedLocalObjectReference? -- An object of another kind.

        type IngressServiceBackend -- A port of a service.
            name 1 string! -- Name of the service.
            port 2 ServiceBackendPort -- A port, by number or by name.

        type ServiceBackendPort atomic -- A port of a service, by name or number.
            name 1 string -- Name of the port.
            number 2 int32 -- Number of the port.

        type IngressTLS -- Hosts that are served with TLS.
            hosts 1 [string] atomic -- The hosts.
            secretName 2 string -- Name of the secret with certificate and key.

        type IngressRule -- What holds for a host.
            host 1 string -- The host, with * as its first label for all below.
            ingressRuleValue 2 inline IngressRuleValue

        type IngressRuleValue -- What a rule holds for.
            http 1 HTTPIngressRuleValue? -- Paths.

        type HTTPIngressRuleValue -- Paths of a host.
            paths 1 [HTTPIngressPath]! atomic -- The paths.

        type HTTPIngressPath -- A path, and where its requests go.
            path 1 string -- The path, which begins with /.
            pathType 3 string?! -- Exact, Prefix or ImplementationSpecific.
            backend 2 IngressBackend! -- Where requests go.

        type IngressStatus -- What was observed of an ingress.
            loadBalancer 1 IngressLoadBalancerStatus -- State of the load balancer.

        type IngressLoadBalancerStatus -- Addresses of an ingress.
            ingress 1 [IngressLoadBalancerIngress] atomic -- Addresses at which it is reached.

        type IngressLoadBalancerIngress -- An address of an ingress.
            ip 1 string -- An IP address.
            hostname 2 string -- Host name.
            ports 4 [IngressPortStatus] atomic -- The ports.

        type IngressPortStatus -- State of a port of an ingress.
            port 1 int32! -- A port, by number or by name.
            protocol 2 Protocol! -- TCP, UDP or SCTP.
            error 3 string? -- What went wrong, in one word.

        type IngressClass -- Who serves ingresses.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 IngressClassSpec -- What is asked for.

        type IngressClassSpec -- Who serves ingresses.
            controller 1 string -- Name of the controller.
            parameters 2 IngressClassParametersReference? -- Further parameters.

        type IngressClassParametersReference -- The object with further parameters.
            apiGroup 1 string? -- API group of the object that is meant.
            kind 2 string! -- Kind of the object that is meant.
            name 3 string! -- Name of the object that is meant.
            scope 4 string? -- Cluster or Namespace.
            namespace 5 string? -- Namespace of the object that is meant.

        type NetworkPolicy -- Which traffic pods may have.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 NetworkPolicySpec -- What is asked for.

        type NetworkPolicySpec -- Which traffic pods may have.
            podSelector 1 LabelSelector -- The pods that it is for; all of the namespace when empty.
            ingress 2 [NetworkPolicyIngressRule] atomic -- What may come in.
            egress 3 [NetworkPolicyEgressRule] atomic -- What may go out.
            policyTypes 4 [PolicyType] atomic -- Which directions it limits.

        type NetworkPolicyIngressRule -- What may come in.
            ports 1 [NetworkPolicyPort] atomic -- To which ports; to all when empty.
            from 2 [NetworkPolicyPeer] atomic -- From where; from everywhere when empty.

        type NetworkPolicyPort -- Ports of a rule.
            protocol 1 Protocol? -- TCP, UDP or SCTP.
            port 2 intOrString? -- A port, by number or by name.
            endPort 3 int32? -- The last port of a range.

        type NetworkPolicyPeer -- The other end of traffic.
            podSelector 1 LabelSelector? -- Pods, by their labels.
            namespaceSelector 2 LabelSelector? -- Namespaces, by their labels.
            ipBlock 3 IPBlock? -- A range of addresses.

        type IPBlock -- A range of addresses.
            cidr 1 string! -- The range.
            except 2 [string] atomic -- Ranges within it that are left out.

        type NetworkPolicyEgressRule -- What may go out.
            ports 1 [NetworkPolicyPort] atomic -- To which ports; to all when empty.
            to 2 [NetworkPolicyPeer] atomic -- To where; to everywhere when empty.
        enum PolicyType Ingress Egress

        package discovery/v1 discovery.k8s.io
        kind EndpointSlice endpointslices
        column Name string name -- Name of the slice.
        column AddressType string -- What addresses it has.
        column Ports string -- Its ports.
        column Endpoints string -- Its addresses.
        column Age string -- Since when it exists.

        type EndpointSlice -- Some of the addresses behind a service.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            addressType 4 string! -- IPv4, IPv6 or FQDN.
            endpoints 2 [Endpoint] atomic -- The addresses.
            ports 3 [EndpointPort] atomic -- The ports.

        type Endpoint -- An endpoint of a service.
            addresses 1 [string]! set -- Addresses of the endpoint.
            conditions 2 EndpointConditions -- Whether the endpoint takes traffic.
            hostname 3 string? -- Host name.
            targetRef 4 ObjectReference? -- The object behind it.
            deprecatedTopology 5 {string} -- No longer in use.
            nodeName 6 string? -- Name of the node.
            zone 7 string? -- The zone that it is in.
            hints 8 EndpointHints? -- For whom it is meant.

        type EndpointConditions -- Whether an endpoint takes traffic.
            ready 1 bool? -- Whether it takes new traffic.
            serving 2 bool? -- Whether it would, if it were not terminating.
            terminating 3 bool? -- Whether it is terminating.

        type EndpointHints -- For whom an endpoint is meant.
            forZones 1 [ForZone] atomic -- Zones that it is meant for.
            forNodes 2 [ForNode] atomic -- Nodes that it is meant for.

        type ForZone -- A zone.
            name 1 string! -- Name of the zone.

        type ForNode -- A node.
            name 1 string! -- Name of the node.

        type EndpointPort atomic -- A port of an endpoint.
            name 1 string? -- Name of the port.
            protocol 2 Protocol? -- TCP, UDP or SCTP.
            port 3 int32? -- A port, by number or by name.
            appProtocol 4 string? -- Protocol above the transport, such as kubernetes.io/h2c.
        """
}
