package import Store

/// Why the store could not do something. What it means to a client is for the API to say: 404, 409, 410 ...
package enum ObjectStoreFailure: Error, Equatable, Sendable {
    case alreadyExists(ObjectKey)
    case notFound(ObjectKey)
    /// A precondition does not hold for the object as it is now.
    case conflict(current: StoredObject, Precondition)
    /// The history from `asked` on has been compacted; `oldest` is the least revision that could be asked for.
    case tooOld(oldest: Int64, asked: Int64)
    /// There was no such revision yet.
    case futureRevision(newest: Int64, asked: Int64)
    /// No continue token of this store, or one of another list; the sentence says which.
    case invalidToken(String)
    /// Nothing that could be an object of Kubernetes; the sentence says why.
    case invalidObject(String)
    /// A watcher has not read its events in time: it may watch anew from the last one.
    case slowConsumer(limit: Int)
    /// The database: a full disk, say. Nothing was changed.
    case storage(StoreFailure)
}

extension ObjectStoreFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .alreadyExists(let key): "create \(key): it exists already."
        case .notFound(let key): "find \(key): there is none."
        case .conflict(let current, let precondition):
            "change \(current.key): it was to be \(precondition), and is at revision \(current.revision)"
                + (precondition.uid == nil ? "." : " with the uid \(current.uid ?? "none").")
        case .tooOld(let oldest, let asked):
            "read from revision \(asked): the history before \(oldest) has been compacted. List anew."
        case .futureRevision(let newest, let asked):
            "read revision \(asked): the newest one is \(newest)."
        case .invalidToken(let sentence): "continue a list: \(sentence)."
        case .invalidObject(let sentence): "store an object: \(sentence)."
        case .slowConsumer(let limit):
            "watch: more than \(limit) events, or too many bytes, waited to be read. Watch again from the last one read."
        case .storage(let failure): failure.sentence
        }
    }
}

extension Result {
    /// The outcome of a write or read of the database, with its failure as this store's.
    func unwrapped<Value>() throws(ObjectStoreFailure) -> Value
    where Success == Result<Value, ObjectStoreFailure>, Failure == StoreFailure {
        switch self {
        case .success(let inner): try inner.get()
        case .failure(let failure): throw .storage(failure)
        }
    }
}
