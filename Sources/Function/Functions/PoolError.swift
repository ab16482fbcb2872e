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
    }

    package var kind: Kind
    package var sentence: String

    package init(_ kind: Kind, _ sentence: String) {
        self.kind = kind
        self.sentence = sentence
    }

    package var description: String { sentence }
}
