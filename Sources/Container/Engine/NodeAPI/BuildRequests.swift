package import Linux
package import OCI

/// What is built, as the command line says it.
package struct BuildRecipe: NodeValue {
    /// Where the Dockerfile and the files for COPY come from: which descriptors come with the request.
    package enum Context: String, Hashable, Sendable, CaseIterable {
        /// Two: the directory, and the Dockerfile.
        case directory
        /// One: a tar archive in a file, which has the Dockerfile in it.
        case archive
        /// One: the Dockerfile. There is nothing to copy.
        case none
    }

    package var context: Context
    /// The Dockerfile's name: in an archive its path, otherwise for messages.
    package var file: String
    /// What `.dockerignore` says, when it is not the file of that name in the context's root: `NAME.dockerignore` beside
    /// a Dockerfile of another name.
    package var ignoreFile: String?
    /// `--target`: a stage's name or number.
    package var target: String?
    /// `--build-arg`
    package var arguments: [String: String]
    /// `--platform`
    package var platform: Platform?

    package init(
        context: Context, file: String, ignoreFile: String? = nil, target: String? = nil,
        arguments: [String: String] = [:], platform: Platform? = nil
    ) {
        self.context = context
        self.file = file
        self.ignoreFile = ignoreFile
        self.target = target
        self.arguments = arguments
        self.platform = platform
    }
}

/// Which images a build begins from or copies from: `build.images`. Descriptors as with `BuildImage`.
package struct ListBuildImages: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = BuildImageList
    package static let operation = NodeOperation.listBuildImages

    package var recipe: BuildRecipe

    package init(_ recipe: BuildRecipe) { self.recipe = recipe }
}

package struct BuildImageList: NodeValue {
    /// Names as the Dockerfile has them, each once, in its order.
    package var images: [String]
    /// Those of them that are not here.
    package var missing: [String]

    package init(images: [String], missing: [String]) {
        self.images = images
        self.missing = missing
    }
}

/// Builds an image: `build`. Its images have to be here. What a failed or cancelled build leaves is cache.
package struct BuildImage: NodeRequest {
    package typealias Item = BuildProgress
    package typealias Answer = ImageBuilt
    package static let operation = NodeOperation.buildImage

    /// What the programs of RUN reach.
    package enum Network: String, Hashable, Sendable, CaseIterable {
        /// What containers have by default.
        case standard = "default"
        case none
        case host
    }

    package var recipe: BuildRecipe
    /// `--tag`
    package var tags: [Reference]
    /// `--label`
    package var labels: [String: String]
    /// False with `--no-cache`.
    package var usesCache: Bool
    /// `--network`
    package var network: Network
    /// SOURCE_DATE_EPOCH: seconds since 1970; times of the image are not later.
    package var epoch: Int?

    package init(
        _ recipe: BuildRecipe, tags: [Reference] = [], labels: [String: String] = [:], usesCache: Bool = true,
        network: Network = .standard, epoch: Int? = nil
    ) {
        self.recipe = recipe
        self.tags = tags
        self.labels = labels
        self.usesCache = usesCache
        self.network = network
        self.epoch = epoch
    }
}

/// Something that a build tells while it is under way.
package struct BuildProgress: NodeValue {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A step begins: `text` is its title.
        case began
        /// A line that a step's program wrote, without its end.
        case output
        /// A step is over.
        case done
        /// A step did not have to be done: its result is in the cache.
        case cached
        /// It failed: `text` says why.
        case failed
        /// A remark about the whole, as a warning.
        case note
    }

    package var kind: Kind
    /// Of the step, counted from 1 over all stages that are built; 0 for notes.
    package var step: Int
    /// How many there are.
    package var steps: Int
    package var text: String
    /// How long the step took.
    package var milliseconds: Int?

    package init(_ kind: Kind, step: Int = 0, steps: Int = 0, text: String = "", milliseconds: Int? = nil) {
        self.kind = kind
        self.step = step
        self.steps = steps
        self.text = text
        self.milliseconds = milliseconds
    }
}

package struct ImageBuilt: NodeValue {
    /// The digest of the config.
    package var id: Digest
    /// The digest of the manifest.
    package var digest: Digest
    package var names: [Reference]
    /// How many steps there were, and how many of them were in the cache.
    package var steps: Int
    package var cachedSteps: Int

    package init(id: Digest, digest: Digest, names: [Reference], steps: Int, cachedSteps: Int) {
        self.id = id
        self.digest = digest
        self.names = names
        self.steps = steps
        self.cachedSteps = cachedSteps
    }
}

/// Removes records of the build cache: `build.prune`.
package struct PruneBuildCache: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = BuildCachePruned
    package static let operation = NodeOperation.pruneBuildCache

    /// Only what was not used since; nil: everything.
    package var unusedSince: Timestamp?

    package init(unusedSince: Timestamp? = nil) { self.unusedSince = unusedSince }
}

package struct BuildCachePruned: NodeValue {
    package var records: Int
    /// Bytes of blobs and layers that nothing needs any more.
    package var freedBytes: Int

    package init(records: Int, freedBytes: Int) {
        self.records = records
        self.freedBytes = freedBytes
    }
}
