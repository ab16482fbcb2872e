internal import Glibc
package import Engine
import Keeper
import Linux
internal import Sandbox

/// Makes the layers that shadows write when somebody wants to see their files afterwards.
package struct ShadowLayers: Sendable {
    private let memory: LayerMemory
    private let link: KeeperLink
    /// How the names of this node's layers begin.
    private let prefix = CallToken().text + "-"

    package init(run: String, link: KeeperLink) {
        memory = LayerMemory(run: run)
        self.link = link
    }

    /// A fresh layer. What a node has left that died is removed meanwhile.
    func make() async throws -> ShadowLayer {
        let (name, prefix) = (prefix + CallToken().text, prefix)
        guard let keeper = try await link.status()?.pid else { throw NodeFailure(.unavailable, "no keeper is connected") }
        let (seen, directory) = (memory.seen(through: keeper), memory.directory)
        return try await BlockingPool.shared.run { () throws(SystemError) in
            let place = SharedFD(try Files.handle(seen))
            for old in try Files.list(".", at: place.raw) where !old.hasPrefix(prefix) {
                try? Files.removeTree(old, at: place.raw)
            }
            try Files.makeDirectory(name, at: place.raw, mode: 0o700)
            for part in [ShadowLayer.upper, ShadowLayer.work] { try Files.makeDirectory("\(name)/\(part)", at: place.raw) }
            return ShadowLayer(name: name, place: place, directory: "\(directory)/\(name)")
        }
    }
}

/// What one shadow writes, until it is removed.
struct ShadowLayer: Sendable {
    static let upper = "upper"
    static let work = "work"

    let name: String
    /// The directory of layers, as we see it.
    fileprivate let place: SharedFD
    /// The layer's own, as the keeper sees it.
    fileprivate let directory: String

    /// Writes go here.
    var root: OverlayUpper {
        .directory("\(directory)/\(Self.upper)", work: "\(directory)/\(Self.work)")
    }

    /// What is there of a call's declared files.
    func left(of files: OutputFiles) async -> [LeftFile] {
        let left = try? await BlockingPool.shared.run { () throws(SystemError) in
            files.left(in: try Files.open("\(name)/\(Self.upper)", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: place.raw))
        }
        return left ?? []
    }

    /// Removes it. It is the target's to fill, so this may take a while.
    func remove() async {
        try? await BlockingPool.shared.run { () throws(SystemError) in try Files.removeTree(name, at: place.raw) }
    }
}
