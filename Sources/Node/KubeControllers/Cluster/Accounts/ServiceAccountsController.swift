internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Every namespace has the service account that pods get when they name none (serviceaccount-controller).
package struct ServiceAccountsController: Controller {
    package let name = "serviceaccount-controller"
    package let resources: [Resource] = [.namespaces, .serviceAccounts]

    package init() {}

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        if change.resource == .namespaces { return [change.key] }
        guard change.new == nil, let namespace = change.key.namespace else { return [] }
        return [Resource.namespaces.key(namespace)]
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        guard ActiveNamespaces.contain(key.name, in: view),
            view.get(.serviceAccounts, namespace: key.name, "default") == nil
        else { return Decision() }
        var account = KubeObject(json: ["apiVersion": "v1", "kind": "ServiceAccount"])
        account.metadata.name = "default"
        account.metadata.namespace = key.name
        return Decision([.create(.serviceAccounts, account)])
    }
}
