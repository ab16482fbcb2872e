import Engine
import Linux
import OCI

/// Pulls images through the node: for `pull`, and for the verbs that need an image and may have to pull it first.
///
///     let pulling = ImagePulling(client, plainHosts: registry.plainHosts, shows: .standardError)
///     let answer = try await pulling.providing(image, policy) { try await client.call(request) }
struct ImagePulling: Sendable {
    let client: NodeClient
    var plainHosts: [String]
    var platform: Platform?
    /// Where the progress is shown; nil: nowhere.
    var display: CInt?

    /// - Parameter display: the descriptor that progress is written to; nil: none is shown.
    init(
        _ client: NodeClient, plainHosts: [String] = [], platform: Platform? = nil,
        display: CInt? = StandardStreams.errors
    ) {
        self.client = client
        self.plainHosts = plainHosts
        self.platform = platform
        self.display = display
    }

    /// Performs what needs an image, pulling it before as the policy says.
    ///
    /// With `missing` the body is tried first, and again after a pull when it fails since the image is not here
    /// (`NodeFailure.Kind.noImage`): an image that is here costs no question.
    func providing<Value>(
        _ image: String, _ policy: PullPolicy, isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Value
    ) async throws -> Value {
        if policy == .always { try await pull(image) }
        do { return try await body() } catch let failure as NodeFailure
            where failure.kind == .noImage && policy == .missing
        {
            try await pull(image)
        }
        return try await body()
    }

    /// Pulls an image.
    @discardableResult
    func pull(_ image: String) async throws -> ImagePulled {
        let reference = try ImageWord.reference(image)
        let access = try await RegistryCredentials.access(to: reference, plainHosts, client)
        let show = display.map { TransferDisplay(.pull, on: $0) }
        if let show { show.say("\(reference.tag ?? "latest"): Pulling from \(reference.repository)") }
        return try await TransferDisplay.during(show) {
            try await client.stream(PullImage(reference, platform: platform, access: access)) { progress, _ in
                show?.take(progress)
            }
        }
    }
}
