/// A write whose object has been encoded, off the thread that all writes share.
struct EncodedWrite: Sendable {
    enum Action: Sendable {
        case create(ObjectBody)
        case update(ObjectBody)
        case delete
    }

    var key: ObjectKey
    var action: Action
    var precondition: Precondition

    init(_ write: ObjectWrite) throws(ObjectStoreFailure) {
        key = write.key
        precondition = write.precondition
        action =
            switch write.action {
            case .create(let value): .create(try ObjectBody(value))
            case .update(let value): .update(try ObjectBody(value))
            case .delete: .delete
            }
    }
}

/// What a write does to an object as it is: an event, nothing, or a failure.
enum WriteDecision {
    enum Outcome: Sendable {
        case unchanged(StoredObject)
        case changed(ObjectEvent)

        var written: WrittenObject {
            switch self {
            case .unchanged(let object): WrittenObject(object: object, isChanged: false)
            case .changed(let event): WrittenObject(object: event.object, isChanged: true)
            }
        }

        /// The object afterwards.
        var state: StoredObject? {
            switch self {
            case .unchanged(let object): object
            case .changed(let event): event.kind == .deleted ? nil : event.object
            }
        }
    }

    /// - Parameter revision: what the event gets, if there is one.
    static func decide(
        _ write: EncodedWrite, on current: StoredObject?, revision: Int64
    ) throws(ObjectStoreFailure) -> Outcome {
        if case .create(let body) = write.action {
            guard current == nil else { throw .alreadyExists(write.key) }
            let object = StoredObject(write.key, createRevision: revision, revision: revision, body)
            return .changed(ObjectEvent(kind: .added, object: object))
        }
        guard let current else { throw .notFound(write.key) }
        guard write.precondition.holds(for: current) else {
            throw .conflict(current: current, write.precondition)
        }
        guard case .update(let body) = write.action else {
            return .changed(ObjectEvent(kind: .deleted, object: current.at(revision), previous: current))
        }
        guard body != current.body else { return .unchanged(current) }
        let object = StoredObject(write.key, createRevision: current.createRevision, revision: revision, body)
        return .changed(ObjectEvent(kind: .modified, object: object, previous: current))
    }

    /// All writes of a commit, each on what those before have left.
    ///
    /// - Parameters:
    ///   - newest: the last revision before.
    ///   - lookUp: the object as it is in the database.
    /// - Returns: an outcome for each write, or the first failure.
    static func decide<Failure>(
        _ writes: [EncodedWrite], newest: Int64, _ lookUp: (ObjectKey) throws(Failure) -> StoredObject?
    ) throws(Failure) -> Result<[Outcome], ObjectStoreFailure> {
        var revision = newest
        var touched: [ObjectKey: StoredObject?] = [:]
        var outcomes: [Outcome] = []
        for write in writes {
            let current: StoredObject? = if let known = touched[write.key] { known } else { try lookUp(write.key) }
            do throws(ObjectStoreFailure) {
                let outcome = try decide(write, on: current, revision: revision + 1)
                if case .changed = outcome { revision += 1 }
                touched.updateValue(outcome.state, forKey: write.key)
                outcomes.append(outcome)
            } catch { return .failure(error) }
        }
        return .success(outcomes)
    }
}
