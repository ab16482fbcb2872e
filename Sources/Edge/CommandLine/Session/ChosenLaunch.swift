import Engine

/// A spec with its first word understood, and the way to get its image when it is not here.
struct ChosenLaunch: Sendable {
    var spec: ContainerSpec
    private let image: ImageFlags

    /// - Parameter client: nil: there is no node, so a bare word is a program.
    init(_ spec: ContainerSpec, place: PlaceFlags, image: ImageFlags, _ client: NodeClient?) async throws {
        self.spec = spec
        self.image = image
        var word = try LaunchWord(spec.program, place: place, rung: spec.rung, image: image)
        if word == .bare {
            if let client {
                let isProgram = LaunchWord.isProgram(spec.program, environment: spec.environment)
                let isImage = try await client.call(FindImage(spec.program)).id != nil
                word = try LaunchWord.choose(spec.program, isImage: isImage, isProgram: isProgram)
            } else {
                word = .program
            }
        }
        guard word == .image else { return }
        self.spec.takeImage(entrypoint: image.entrypoint)
    }

    /// Performs what needs the image, pulling it as --pull says.
    func providing<Value>(
        _ client: NodeClient, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async throws -> Value {
        guard let name = spec.image?.name else { return try await body() }
        return try await image.pulling(client).providing(name, image.pull ?? .missing, body)
    }
}
