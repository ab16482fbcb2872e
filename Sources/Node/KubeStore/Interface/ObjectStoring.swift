package import JSON

/// Objects with one revision for all of them, as etcd keeps them for Kubernetes.
///
/// Invariants, which the contract's tests hold every implementation to:
/// 1. Each change of an object has a revision of its own, greater than all before.
///    (test: `revisions increase over all resources`)
/// 2. Writes of one commit happen all or not at all. (test: `a commit with one bad write changes nothing`)
/// 3. An update that changes no byte makes no revision and no event. (test: `an update without a change is no event`)
/// 4. All pages of a list show the state of one revision. (test: `pages show one revision, whatever is written meanwhile`)
/// 5. A watcher gets every event of its scope and predicate once and in order.
///    (tests: `a watcher that starts among writes misses nothing`, `a predicate turns changes into coming and going`)
/// 6. What has been compacted is never shown as if it were all: it is `tooOld`. (test: `the borders of history are etcd's`)
package protocol ObjectStoring: Sendable {
    /// Makes all changes, or none. What it returns is durable, and watchers have been told.
    @discardableResult
    func commit(_ writes: [ObjectWrite]) async throws(ObjectStoreFailure) -> [WrittenObject]

    /// - Throws: `notFound`, `storage`.
    func get(_ key: ObjectKey) async throws(ObjectStoreFailure) -> StoredObject

    /// - Throws: `tooOld`, `futureRevision`, `invalidToken`, `storage`.
    func list(_ request: ListRequest) async throws(ObjectStoreFailure) -> ObjectPage

    /// - Throws: `tooOld`, `futureRevision`, `storage`.
    func watch(_ request: WatchRequest) async throws(ObjectStoreFailure) -> any ObjectWatching

    func history() async throws(ObjectStoreFailure) -> HistoryBounds

    /// Gives up the history before `revision`. The state of every object at that revision and later stays.
    /// - Throws: `tooOld` when that was done before, `futureRevision`, `storage`.
    func compact(to revision: Int64) async throws(ObjectStoreFailure)

    /// Tells all watchers that want bookmarks, and have been told everything, up to where that is.
    func sendBookmarks()

    /// Ends all watches, when what waits has been read. What is stored can still be read and written.
    func endWatches()
}

extension ObjectStoring {
    /// - Throws: `alreadyExists`, `invalidObject`, `storage`.
    @discardableResult
    package func create(_ key: ObjectKey, _ value: JSONValue) async throws(ObjectStoreFailure) -> StoredObject {
        try await commit([.create(key, value)])[0].object
    }

    /// - Throws: `notFound`, `conflict`, `invalidObject`, `storage`.
    @discardableResult
    package func update(
        _ key: ObjectKey, _ value: JSONValue, if precondition: Precondition = .none
    ) async throws(ObjectStoreFailure) -> WrittenObject {
        try await commit([.update(key, value, if: precondition)])[0]
    }

    /// - Returns: its last content, at the revision of the deletion.
    /// - Throws: `notFound`, `conflict`, `storage`.
    @discardableResult
    package func delete(
        _ key: ObjectKey, if precondition: Precondition = .none
    ) async throws(ObjectStoreFailure) -> StoredObject {
        try await commit([.delete(key, if: precondition)])[0].object
    }

    /// Changes an object by what it is: reads it, asks `change`, and writes on condition that nobody else wrote meanwhile;
    /// asks again when somebody did, as often as it takes.
    ///
    /// - Parameters:
    ///   - precondition: must hold whenever `change` is asked.
    ///   - change: gives the new content, or refuses by throwing. May be asked several times.
    /// - Returns: what was written, or why `change` has refused.
    /// - Throws: `notFound`; `conflict` when the precondition does not hold, or the task was cancelled; `storage`.
    package func modify<Refusal: Error>(
        _ key: ObjectKey, if precondition: Precondition = .none,
        _ change: (StoredObject) throws(Refusal) -> JSONValue
    ) async throws(ObjectStoreFailure) -> Result<WrittenObject, Refusal> {
        var current = try await get(key)
        while true {
            guard precondition.holds(for: current) else { throw .conflict(current: current, precondition) }
            let value: JSONValue
            do throws(Refusal) { value = try change(current) } catch { return .failure(error) }
            do throws(ObjectStoreFailure) {
                return .success(try await update(key, value, if: Precondition(revision: current.revision)))
            } catch {
                guard case .conflict(let newer, _) = error, !Task.isCancelled else { throw error }
                current = newer
            }
        }
    }
}
