import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// A list as the store and the selectors give it.
struct ListedObjects: Sendable {
    var objects: [StoredObject]
    var revision: Int64
    var next: ContinueToken?
    /// How many come behind; nil when selectors have to look at them first.
    var remaining: Int?
}

extension APIServer {
    func get(_ call: Call) async throws(APIFailure) -> StoredObject {
        let key = try call.key()
        do throws(ObjectStoreFailure) { return try await store.get(key) } catch { throw failure(error, call) }
    }

    /// As many objects are looked at, at once, where a selector leaves some out.
    private static let chunk = 1000

    func list(_ call: Call, _ options: ListOptions) async throws(APIFailure) -> ListedObjects {
        let scope = call.resource.scope(namespace: call.namespace)
        do throws(ObjectStoreFailure) {
            let moment = try Self.moment(options)
            if let one = try await single(call, options, moment) { return one }
            if options.selectsAll {
                let page = try await store.list(ListRequest(scope, moment, limit: options.limit))
                return ListedObjects(
                    objects: page.objects, revision: page.revision, next: page.next, remaining: page.remaining)
            }
            guard let limit = options.limit else {
                let page = try await store.list(ListRequest(scope, moment))
                return ListedObjects(
                    objects: page.objects.filter { options.matches($0, call) }, revision: page.revision)
            }
            return try await selected(scope, moment, options, call, limit: limit)
        } catch { throw Self.failure(error, options, call) }
    }

    /// The list of the one object that a selector names, which is read by its key; nil for other lists.
    private func single(
        _ call: Call, _ options: ListOptions, _ moment: ListRequest.Moment
    ) async throws(ObjectStoreFailure) -> ListedObjects? {
        guard let name = options.onlyName, !name.isEmpty, !call.kind.isNamespaced || call.namespace != nil else {
            return nil
        }
        switch moment {
        case .newest: break
        case .notOlder(let least) where try await store.history().newest >= least: break
        default: return nil
        }
        let key = call.resource.key(namespace: call.namespace, name)
        for _ in 0..<10 {
            // What has not changed since a revision is what it was at that revision.
            let revision = try await store.history().newest
            var object: StoredObject?
            do throws(ObjectStoreFailure) { object = try await store.get(key) } catch {
                guard case .notFound = error else { throw error }
            }
            let isOf: Bool
            if let object {
                isOf = object.revision <= revision
            } else {
                isOf = try await store.history().newest == revision
            }
            guard isOf else { continue }
            let found = [object].compactMap(\.self).filter { options.matches($0, call) }
            return ListedObjects(objects: found, revision: revision)
        }
        return nil
    }

    /// A page of what selectors leave, however many objects have to be looked at for it.
    private func selected(
        _ scope: ResourceScope, _ moment: ListRequest.Moment, _ options: ListOptions, _ call: Call,
        limit: Int
    ) async throws(ObjectStoreFailure) -> ListedObjects {
        var moment = moment
        var found: [StoredObject] = []
        while true {
            let page = try await store.list(ListRequest(scope, moment, limit: max(limit, Self.chunk)))
            for (index, object) in page.objects.enumerated() where options.matches(object, call) {
                found.append(object)
                guard found.count == limit, index < page.objects.count - 1 || page.next != nil else { continue }
                let next = ContinueToken(revision: page.revision, scope: scope, last: object.key)
                return ListedObjects(objects: found, revision: page.revision, next: next)
            }
            guard let next = page.next else { return ListedObjects(objects: found, revision: page.revision) }
            moment = .continuing(next)
        }
    }

    private static func moment(_ options: ListOptions) throws(ObjectStoreFailure) -> ListRequest.Moment {
        if let text = options.continueText { return .continuing(try ContinueToken(text: text)) }
        guard let version = options.resourceVersion, version != 0 else { return .newest }
        if options.match == .exact { return .exact(version) }
        // A page of the past is the past's as a whole; Kubernetes reads it so when a limit is given without a match.
        if options.match == nil, options.limit != nil { return .exact(version) }
        return .notOlder(than: version)
    }

    private static let tooOldToContinue =
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
        + "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
        + "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
        + "deleted between the time the first chunk was returned and now may show up in the list."

    private static func failure(_ failure: ObjectStoreFailure, _ options: ListOptions, _ call: Call) -> APIFailure {
        switch failure {
        case .tooOld:
            guard let text = options.continueText, let token = try? ContinueToken(text: text) else {
                return APIFailure(
                    410, "Expired", "The resourceVersion for the provided list is too old.")
            }
            var answer = APIFailure(410, "Expired", tooOldToContinue)
            answer.continueToken = token.inconsistent.text
            return answer
        default: return APIFailure(failure, call.resource, call.name ?? "")
        }
    }
}
