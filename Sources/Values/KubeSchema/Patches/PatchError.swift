/// Why a patch was not applied.
package struct PatchError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Status: Int, Hashable, Sendable {
        /// It is no patch of its type.
        case badRequest = 400
        /// It has too many operations.
        case tooLarge = 413
        /// It does not fit the object.
        case unprocessable = 422
    }

    package var status: Status
    package var description: String

    init(_ status: Status, _ description: String) {
        self.status = status
        self.description = description
    }
}
