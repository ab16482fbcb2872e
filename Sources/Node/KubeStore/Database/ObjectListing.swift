internal import Store

/// Pages of objects: of the newest state from `kube_object`, of an earlier one from the history.
enum ObjectListing {
    static func page(
        _ request: ListRequest, after start: ObjectKey?, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> Result<ObjectPage, ObjectStoreFailure> {
        let history = try ObjectTables.history(transaction)
        let revision: Int64
        do throws(ObjectStoreFailure) { revision = try request.revision(in: history) } catch { return .failure(error) }
        var arguments: [StoreValue] = [
            .text(request.scope.resource), .text(request.scope.namespace ?? start?.namespaceText ?? ""),
            .text(start?.name ?? ""),
        ]
        let isNewest = revision == history.newest
        if !isNewest { arguments.append(.integer(revision)) }
        let source = isNewest ? newest(request.scope) : earlier(request.scope)
        let limit = "ORDER BY namespace, name LIMIT ?\(arguments.count + 1)"
        // The newest objects come in the order of their table. Of earlier ones a page is found before it is read.
        let objects = try transaction.query(
            """
            SELECT o.namespace, o.name, r.created, r.revision, r.place, r.body
            FROM (\(source) \(isNewest ? "" : limit)) o JOIN kube_revision r ON r.revision = o.revision
            ORDER BY o.namespace, o.name LIMIT ?\(arguments.count + 1)
            """, arguments + [StoreValue(request.limit ?? -1)]
        ).map { row in
            ObjectTables.object(ObjectTables.key(request.scope.resource, row, from: 0), row, from: 2)
        }
        var page = ObjectPage(objects: objects, revision: revision, next: nil, remaining: 0)
        guard let last = objects.last?.key, objects.count == request.limit else { return .success(page) }
        arguments[1] = .text(last.namespaceText)
        arguments[2] = .text(last.name)
        page.remaining = try transaction.first("SELECT count(*) FROM (\(source))", arguments)!.integer(0)!
        if page.remaining > 0 { page.next = ContinueToken(revision: revision, scope: request.scope, last: last) }
        return .success(page)
    }

    /// The revisions of the objects that are there, behind a key.
    private static func newest(_ scope: ResourceScope) -> String {
        "SELECT namespace, name, revision FROM kube_object WHERE \(behind(scope))"
    }

    /// The same as of revision ?4. `kind` is that of the row with the greatest revision: sqlite.org/lang_select.html, "bare
    /// columns". All of it stands in one index.
    private static func earlier(_ scope: ResourceScope) -> String {
        """
        SELECT namespace, name, max(revision) AS revision, kind FROM kube_revision
        WHERE \(behind(scope)) AND revision <= ?4 GROUP BY namespace, name HAVING kind <> 2
        """
    }

    private static func behind(_ scope: ResourceScope) -> String {
        scope.namespace == nil
            ? "resource = ?1 AND (namespace, name) > (?2, ?3)" : "resource = ?1 AND namespace = ?2 AND name > ?3"
    }
}
