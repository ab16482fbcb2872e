import JSON

/// The roles that Kubernetes makes when it starts (plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
enum BootstrapPolicy {
    private static let read = ["get", "list", "watch"]
    private static let write = ["create", "delete", "deletecollection", "patch", "update"]
    private static let rbac = "rbac.authorization.k8s.io"
    private static let bootstrap: JSONValue = ["kubernetes.io/bootstrapping": "rbac-defaults"]

    private static func rule(_ verbs: [String], _ group: String, _ resources: String) -> PolicyRule {
        PolicyRule(
            verbs: verbs, groups: [group], resources: resources.split(separator: " ").map(String.init))
    }

    private static func role(_ name: String, _ rules: [PolicyRule], labels: JSONValue = [:]) -> JSONValue {
        var all = bootstrap
        for label in labels.object?.members ?? [] { all[label.key] = label.value }
        return [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": [
                "name": .string(name), "labels": all,
                "annotations": ["rbac.authorization.kubernetes.io/autoupdate": "true"],
            ], "rules": .array(rules.map(\.json)),
        ]
    }

    /// A role that is put together from those with a label.
    private static func aggregate(_ name: String, _ from: [String], labels: JSONValue = [:]) -> JSONValue {
        var role = role(name, [], labels: labels)
        role["rules"] = []
        role["aggregationRule"] = [
            "clusterRoleSelectors": .array(from.map { ["matchLabels": [$0: "true"]] })
        ]
        return role
    }

    private static func aggregation(_ name: String) -> String { "rbac.authorization.k8s.io/aggregate-to-\(name)" }

    static var clusterRoles: [JSONValue] {
        [
            role(
                "cluster-admin",
                [
                    PolicyRule(verbs: ["*"], groups: ["*"], resources: ["*"]), PolicyRule(verbs: ["*"], paths: ["*"]),
                ]),
            role("system:discovery", [PolicyRule(verbs: ["get"], paths: discovery)]),
            role("system:public-info-viewer", [PolicyRule(verbs: ["get"], paths: publicPaths)]),
            role(
                "system:basic-user",
                [
                    rule(["create"], "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
                    rule(["create"], "authentication.k8s.io", "selfsubjectreviews"),
                ]),
            role(
                "system:monitoring",
                [
                    PolicyRule(
                        verbs: ["get"],
                        paths: [
                            "/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/metrics/slis", "/readyz",
                            "/readyz/*",
                        ])
                ]),
            role(
                "system:auth-delegator",
                [
                    rule(["create"], "authentication.k8s.io", "tokenreviews"),
                    rule(["create"], "authorization.k8s.io", "subjectaccessreviews"),
                ]),
            role(
                "system:service-account-issuer-discovery",
                [PolicyRule(verbs: ["get"], paths: ["/.well-known/openid-configuration", "/openid/v1/jwks"])]),
            role("system:node", node), role("system:node-proxier", proxier), role("system:kube-scheduler", scheduler),
            role(
                "system:kubelet-api-admin",
                [
                    rule(read, "", "nodes"), rule(["proxy"], "", "nodes"),
                    rule(["*"], "", "nodes/log nodes/metrics nodes/proxy nodes/stats"),
                ]),
            role("system:persistent-volume-provisioner", provisioner),
            aggregate("admin", [aggregation("admin")]),
            aggregate("edit", [aggregation("edit")], labels: [aggregation("admin"): "true"]),
            aggregate("view", [aggregation("view")], labels: [aggregation("edit"): "true"]),
            role("system:aggregate-to-admin", admin, labels: [aggregation("admin"): "true"]),
            role("system:aggregate-to-edit", edit, labels: [aggregation("edit"): "true"]),
            role("system:aggregate-to-view", view, labels: [aggregation("view"): "true"]),
            // As metrics-server brings it: for `kubectl top`.
            role(
                "system:aggregated-metrics-reader", [rule(read, "metrics.k8s.io", "pods nodes")],
                labels: [aggregation("view"): "true", aggregation("edit"): "true", aggregation("admin"): "true"]),
            // Kinds of this node: as an operator brings roles for its own.
            role(
                "forkless.dev:aggregate-to-view",
                [rule(read, "forkless.dev", "eventsources eventsources/status functions functions/status")],
                labels: [aggregation("view"): "true"]),
            role(
                "forkless.dev:aggregate-to-edit", [rule(write, "forkless.dev", "eventsources functions")],
                labels: [aggregation("edit"): "true"]),
        ]
    }

    private static let publicPaths = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
    private static let discovery = [
        "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version",
        "/version/",
    ]

    // MARK: For people

    private static var admin: [PolicyRule] {
        [
            rule(["create"], "authorization.k8s.io", "localsubjectaccessreviews"),
            rule(read + write, rbac, "rolebindings roles"),
        ]
    }

    private static var edit: [PolicyRule] {
        [
            rule(read, "", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
            rule(["impersonate"], "", "serviceaccounts"),
            rule(write, "", "pods pods/attach pods/exec pods/portforward pods/proxy"),
            rule(["create"], "", "pods/eviction"),
            rule(
                write, "",
                "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets "
                    + "serviceaccounts services services/proxy"),
            rule(["create"], "", "serviceaccounts/token"),
            rule(
                write, "apps",
                "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets "
                    + "statefulsets/scale"),
            rule(write, "autoscaling", "horizontalpodautoscalers"), rule(write, "batch", "cronjobs jobs"),
            rule(write, "networking.k8s.io", "ingresses networkpolicies"),
            rule(write, "policy", "poddisruptionbudgets"), rule(read + write, "coordination.k8s.io", "leases"),
        ]
    }

    private static var view: [PolicyRule] {
        [
            rule(
                read, "",
                "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers "
                    + "replicationcontrollers/scale serviceaccounts services services/status"),
            rule(
                read, "",
                "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status "
                    + "resourcequotas resourcequotas/status"),
            rule(read, "", "namespaces"), rule(read, "discovery.k8s.io", "endpointslices"),
            rule(
                read, "apps",
                "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets "
                    + "replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status"),
            rule(read, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
            rule(read, "batch", "cronjobs cronjobs/status jobs jobs/status"),
            rule(read, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
            rule(read, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
        ]
    }

    // MARK: For the parts of a cluster

    private static var node: [PolicyRule] {
        [
            rule(["create"], "authentication.k8s.io", "tokenreviews"),
            rule(["create"], "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"),
            rule(read, "", "services configmaps secrets persistentvolumes"), rule(["create"] + read, "", "nodes"),
            rule(["patch", "update"], "", "nodes nodes/status"),
            rule(["create", "patch", "update"], "", "events"), rule(read + ["create", "delete"], "", "pods"),
            rule(["patch", "update"], "", "pods/status"), rule(["create"], "", "pods/eviction serviceaccounts/token"),
            rule(["get"], "", "endpoints persistentvolumeclaims"),
            rule(["create", "delete", "get", "patch", "update"], "coordination.k8s.io", "leases"),
            rule(read, "node.k8s.io", "runtimeclasses"),
        ]
    }

    private static var proxier: [PolicyRule] {
        [
            rule(["list", "watch"], "", "endpoints services"), rule(read, "", "nodes"),
            rule(["create", "patch", "update"], "", "events"),
            rule(["create", "patch", "update"], "events.k8s.io", "events"),
            rule(["list", "watch"], "discovery.k8s.io", "endpointslices"),
        ]
    }

    private static var scheduler: [PolicyRule] {
        [
            rule(["create", "patch", "update"], "", "events"),
            rule(["create", "patch", "update"], "events.k8s.io", "events"),
            rule(["create"], "coordination.k8s.io", "leases"), rule(read, "", "nodes namespaces"),
            rule(["delete"] + read, "", "pods"), rule(["create"], "", "bindings pods/binding"),
            rule(["patch", "update"], "", "pods/status"), rule(read, "", "replicationcontrollers services"),
            rule(read, "apps", "replicasets statefulsets"), rule(read, "policy", "poddisruptionbudgets"),
            rule(read, "", "persistentvolumeclaims persistentvolumes"), rule(read, "storage.k8s.io", "storageclasses"),
        ]
    }

    private static var provisioner: [PolicyRule] {
        [
            rule(["create", "delete"] + read, "", "persistentvolumes"),
            rule(read + ["update"], "", "persistentvolumeclaims"), rule(read, "storage.k8s.io", "storageclasses"),
            rule(["watch"], "", "events"), rule(["create", "patch", "update"], "", "events"),
        ]
    }

    // MARK: Bindings

    private static func binding(_ role: String, _ subjects: [(kind: String, name: String)]) -> JSONValue {
        [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": [
                "name": .string(role), "labels": bootstrap,
                "annotations": ["rbac.authorization.kubernetes.io/autoupdate": "true"],
            ], "roleRef": ["apiGroup": .string(rbac), "kind": "ClusterRole", "name": .string(role)],
            "subjects": .array(
                subjects.map { ["apiGroup": .string(rbac), "kind": .string($0.kind), "name": .string($0.name)] }),
        ]
    }

    static var clusterRoleBindings: [JSONValue] {
        [
            binding("cluster-admin", [("Group", "system:masters")]),
            binding("system:discovery", [("Group", "system:authenticated")]),
            binding("system:basic-user", [("Group", "system:authenticated")]),
            binding(
                "system:public-info-viewer", [("Group", "system:authenticated"), ("Group", "system:unauthenticated")]),
            binding("system:monitoring", [("Group", "system:monitoring")]),
            binding("system:service-account-issuer-discovery", [("Group", "system:serviceaccounts")]),
            binding("system:node-proxier", [("User", "system:kube-proxy")]),
            binding("system:kube-scheduler", [("User", "system:kube-scheduler")]),
        ]
    }
}
