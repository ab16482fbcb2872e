/// A function URL.
package struct FunctionURL: Hashable, Sendable {
    package enum Authentication: String, Hashable, Sendable, CaseIterable {
        case none = "NONE"
        case iam = "AWS_IAM"
    }

    package enum Mode: String, Hashable, Sendable, CaseIterable {
        case buffered = "BUFFERED"
        case responseStream = "RESPONSE_STREAM"
    }

    /// What browsers are told, https://fetch.spec.whatwg.org/#http-cors-protocol. Empty lists send no header.
    package struct CORS: Hashable, Sendable {
        package var allowsCredentials: Bool?
        package var allowHeaders: [String] = []
        package var allowMethods: [String] = []
        package var allowOrigins: [String] = []
        package var exposeHeaders: [String] = []
        /// Seconds.
        package var maxAge: Int?

        package init() {}
    }

    /// The first label of its host name: letters and digits.
    package var id: String
    package var function: String
    /// The alias that it invokes; nil: $LATEST.
    package var qualifier: String?
    package var authentication: Authentication
    package var mode: Mode
    package var cors: CORS?

    package init(
        id: String, function: String, qualifier: String? = nil, authentication: Authentication, mode: Mode = .buffered,
        cors: CORS? = nil
    ) {
        self.id = id
        self.function = function
        self.qualifier = qualifier
        self.authentication = authentication
        self.mode = mode
        self.cors = cors
    }
}
