package import Engine

/// Why a call got no instance.
package struct PoolError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// As many calls wait as may wait.
        case tooManyWaiting
        /// No instance became free in time.
        case waitedTooLong
        /// The program does not stay alive until it is given input.
        case cannotStandBy
        /// The pool takes no more calls.
        case closed
        /// The caller went away.
        case cancelled
        /// The definition or configuration makes no sense.
        case badDefinition
        /// There are as many functions as there may be.
        case tooManyFunctions
        /// No function of that name.
        case notFound
        /// The program cannot be started as its definition says.
        case unusable(NodeFailure.Kind)
    }

    package var kind: Kind
    package var sentence: String

    package init(_ kind: Kind, _ sentence: String) {
        self.kind = kind
        self.sentence = sentence
    }

    package init(_ failure: NodeFailure) { self.init(.unusable(failure.kind), failure.message) }

    package var description: String { sentence }
}

extension NodeFailure {
    /// The same as an answer of the node.
    package init(_ error: PoolError) {
        let kind: Kind =
            switch error.kind {
            case .tooManyWaiting, .waitedTooLong, .closed, .tooManyFunctions: .unavailable
            case .cannotStandBy: .unsupported
            case .cancelled: .cancelled
            case .badDefinition: .badRequest
            case .notFound: .notFound
            case .unusable(let kind): kind
            }
        self.init(kind, error.sentence)
    }
}
