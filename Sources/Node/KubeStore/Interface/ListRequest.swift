/// What to list, of which moment, and how much at once.
package struct ListRequest: Sendable {
    package enum Moment: Sendable {
        case newest
        /// The newest, which must not be older than this revision.
        case notOlder(than: Int64)
        /// Exactly this revision, which must still be in the history.
        case exact(Int64)
        /// The page behind another one.
        case continuing(ContinueToken)
    }

    package var scope: ResourceScope
    package var moment: Moment
    /// At most so many objects; nil for all.
    package var limit: Int?

    package init(_ scope: ResourceScope, _ moment: Moment = .newest, limit: Int? = nil) {
        precondition(limit.map { $0 > 0 } ?? true, "a page of \(limit ?? 0) objects")
        self.scope = scope
        self.moment = moment
        self.limit = limit
    }

    /// The key behind which the page begins.
    /// - Throws: `invalidToken` when the token is one of another list.
    func start() throws(ObjectStoreFailure) -> ObjectKey? {
        guard case .continuing(let token) = moment else { return nil }
        guard token.scope == scope else {
            throw .invalidToken("the continue token is from a list of \(token.scope), not of \(scope)")
        }
        return token.last
    }

    /// The revision to show, in a store with these bounds.
    func revision(in history: HistoryBounds) throws(ObjectStoreFailure) -> Int64 {
        let exact: Int64
        switch moment {
        case .newest: return history.newest
        case .notOlder(let least):
            guard least <= history.newest else { throw .futureRevision(newest: history.newest, asked: least) }
            return history.newest
        case .exact(let revision): exact = revision
        case .continuing(let token):
            guard let revision = token.revision else { return history.newest }
            exact = revision
        }
        guard exact <= history.newest else { throw .futureRevision(newest: history.newest, asked: exact) }
        guard exact >= history.oldestListed else { throw .tooOld(oldest: history.oldestListed, asked: exact) }
        return exact
    }
}

/// Objects in the order of their keys.
package struct ObjectPage: Sendable, Equatable {
    package var objects: [StoredObject]
    /// The revision whose state this is.
    package var revision: Int64
    /// For the next page; nil when this is the last.
    package var next: ContinueToken?
    /// How many objects come behind this page.
    package var remaining: Int
}

/// What the store knows of its past.
///
/// The borders are etcd's: a list at the compacted revision is possible (mvcc/kvstore_txn.go: `rev < compactMainRev` is
/// too old), and so is a watch that begins with the compacted revision's own event (mvcc/watcher_group.go: `minRev <
/// compactRev` is too old), which is one that goes on behind the revision before it.
package struct HistoryBounds: Sendable, Equatable {
    /// What came before is gone; 0 when nothing is.
    package var compacted: Int64
    /// The revision of the last write; 1 before the first.
    package var newest: Int64

    /// The least revision that can be listed.
    package var oldestListed: Int64 { compacted }
    /// The least revision behind which can be watched.
    package var oldestWatched: Int64 { max(0, compacted - 1) }
}
