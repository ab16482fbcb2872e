internal import Linux
package import OCI

/// What the result of a step depends on, as a digest: the files below it, the instruction with its variables replaced,
/// and the contents that it copies. Neither the time nor the path of anything is in it, and no name of a stage.
///
/// Invariants
/// 1. Everything that a step can see is in its key. (test: `what a step can see changes its key`)
/// 2. Predefined proxy arguments are not. (test: `proxies do not change a key`)
package struct StepKey: Hashable, Sendable {
    /// Changed when a builder of a later version makes other layers of the same.
    private static let version = "1"

    package let digest: Digest

    /// What all keys of a build have in common.
    package struct Circumstances: Hashable, Sendable {
        package var platform: String
        /// SOURCE_DATE_EPOCH in seconds: it is in the times of the layers.
        package var epoch: Int?

        package init(platform: String, epoch: Int?) {
            self.platform = platform
            self.epoch = epoch
        }
    }

    private init(
        _ kind: String, _ chain: Digest?, _ circumstances: Circumstances, _ fields: (inout KeyHasher) -> Void
    ) {
        var hasher = KeyHasher()
        hasher.add("forkless build \(Self.version)")
        hasher.add(kind)
        hasher.add(chain?.description)
        hasher.add(circumstances.platform)
        hasher.add(circumstances.epoch.map { "\($0)" })
        fields(&hasher)
        digest = hasher.finish()
    }

    /// - Parameters:
    ///   - chain: The chain id of the layers below; nil: there are none.
    ///   - network: In words.
    package init(run: RunAction, chain: Digest?, network: String, _ circumstances: Circumstances) {
        self.init("run", chain, circumstances) { hasher in
            hasher.add(run.words)
            hasher.add(run.environment.sorted())
            hasher.add(run.directory)
            hasher.add(run.user)
            hasher.add(run.script)
            hasher.add(network)
        }
    }

    /// - Parameter contents: The digest of what is copied.
    package init(copy: CopyAction, contents: Digest, chain: Digest?, _ circumstances: Circumstances) {
        self.init("copy", chain, circumstances) { hasher in
            hasher.add(copy.destination)
            hasher.add(copy.isDirectory ? 1 : 0)
            hasher.add(copy.owner)
            hasher.add(copy.mode.map { String($0, radix: 8) })
            hasher.add(copy.unpacksArchives ? 1 : 0)
            hasher.add(contents.description)
        }
    }

    /// - Parameter user: Whose the directory will be.
    package init(directory: String, user: String, chain: Digest?, _ circumstances: Circumstances) {
        self.init("directory", chain, circumstances) { hasher in
            hasher.add(directory)
            hasher.add(user)
        }
    }
}
