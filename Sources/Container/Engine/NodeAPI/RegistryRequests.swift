package import OCI

/// How a registry may be spoken to, by whom.
package struct RegistryAccess: Hashable, Sendable {
    /// Registries ("HOST[:PORT]") without TLS, besides those that the node was started with.
    package var plainHosts: [String]
    /// For the registry of the image's name; nil: it is asked anonymously.
    package var credentials: RegistryLogin?

    package init(plainHosts: [String] = [], credentials: RegistryLogin? = nil) {
        self.plainHosts = plainHosts
        self.credentials = credentials
    }
}

/// What a registry is told about who asks. It travels from the command line to the node with the request it is for; it
/// is kept nowhere and has no text.
package struct RegistryLogin: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    package enum Secret: Hashable, Sendable {
        case password(user: String, password: String)
        /// A refresh token, which only a token service takes.
        case identityToken(String)
    }

    package var secret: Secret

    package init(_ secret: Secret) { self.secret = secret }

    package var description: String { "credentials" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Pulls an image into the node's store and names it there: `images.pull`.
///
/// The items tell how far each part is. A request that fails, or is taken back, leaves the store as it was.
package struct PullImage: NodeRequest {
    package typealias Item = TransferProgress
    package typealias Answer = ImagePulled
    package static let operation = NodeOperation.pullImage

    package var image: Reference
    /// nil: this machine's where there is a choice.
    package var platform: Platform?
    package var access: RegistryAccess

    package init(_ image: Reference, platform: Platform? = nil, access: RegistryAccess = RegistryAccess()) {
        self.image = image
        self.platform = platform
        self.access = access
    }
}

package struct ImagePulled: NodeValue {
    /// What the image is called here.
    package var name: Reference
    package var id: Digest
    /// What the name stands for in the registry: the digest of an index or a manifest.
    package var digest: Digest
    /// Whether the name stood for another image before, or for none.
    package var isNew: Bool

    package init(name: Reference, id: Digest, digest: Digest, isNew: Bool) {
        self.name = name
        self.id = id
        self.digest = digest
        self.isNew = isNew
    }
}

/// Sends an image of the store to the registry of its name: `images.push`.
package struct PushImage: NodeRequest {
    package typealias Item = TransferProgress
    package typealias Answer = ImagePushed
    package static let operation = NodeOperation.pushImage

    package var image: Reference
    package var access: RegistryAccess

    package init(_ image: Reference, access: RegistryAccess = RegistryAccess()) {
        self.image = image
        self.access = access
    }
}

package struct ImagePushed: NodeValue {
    /// With the tag it has there.
    package var name: Reference
    package var digest: Digest
    /// Bytes of the manifest.
    package var size: Int

    package init(name: Reference, digest: Digest, size: Int) {
        self.name = name
        self.digest = digest
        self.size = size
    }
}

/// How far one part of an image is, on its way here or there.
package struct TransferProgress: NodeValue {
    package enum State: String, Hashable, Sendable, CaseIterable {
        /// It has to be moved; nothing of it is yet.
        case waiting
        /// It is where it should be already.
        case present
        /// Another repository of the registry lent it.
        case mounted
        /// `bytes` of it are there.
        case moving
        /// A try failed, as `message` says; the next one begins after a pause.
        case retrying
        /// It is there, and checked.
        case done
        /// A layer is being unpacked.
        case unpacking
        /// The layer is unpacked.
        case unpacked
    }

    package var part: Digest
    /// Whether it is a layer; the image's config otherwise.
    package var isLayer: Bool
    /// Bytes of it as a whole.
    package var size: Int
    package var state: State
    package var bytes: Int?
    package var message: String?

    package init(
        part: Digest, isLayer: Bool, size: Int, state: State, bytes: Int? = nil, message: String? = nil
    ) {
        self.part = part
        self.isLayer = isLayer
        self.size = size
        self.state = state
        self.bytes = bytes
        self.message = message
    }
}

/// Which registries the node was told of: `registries.get`.
package struct GetRegistries: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NodeRegistries
    package static let operation = NodeOperation.getRegistries

    package init() {}
}

package struct NodeRegistries: NodeValue {
    /// That of names without a host; nil: there is none.
    package var usual: String?
    /// Those without TLS.
    package var plainHosts: [String]

    package init(usual: String? = nil, plainHosts: [String] = []) {
        self.usual = usual
        self.plainHosts = plainHosts
    }
}

/// Asks a registry whether it accepts credentials: `registries.check`.
package struct CheckRegistry: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.checkRegistry

    /// "HOST[:PORT]".
    package var registry: String
    package var access: RegistryAccess

    package init(registry: String, access: RegistryAccess) {
        self.registry = registry
        self.access = access
    }
}
