import Engine
import Glibc
import Linux
import Packing

/// What packing works with: a directory of its own, and a node that the image is for, or that only runs it.
final class PackSession: Sendable {
    let workDirectory: String
    /// nil: nothing is to be run, and no node is there to take the image.
    let client: NodeClient?
    /// Whether the image stays in the node that the user has.
    let isUsersNode: Bool
    private let own: NodeForComparison?

    private init(_ workDirectory: String, _ client: NodeClient?, isUsersNode: Bool, own: NodeForComparison?) {
        self.workDirectory = workDirectory
        self.client = client
        self.isUsersNode = isUsersNode
        self.own = own
    }

    /// - Parameters:
    ///   - needsOwn: the image is written to files: without the user's node one is started to run it.
    ///   - runs: whether it is going to be run.
    static func open(_ flags: NodeFlags, needsOwn: Bool, runs: Bool) async throws -> PackSession {
        let place = "/tmp/forkless-pack-\(OwnProcess.pid)-" + String(UInt64.random(in: .min ... .max), radix: 36)
        do {
            let client = try await flags.connect()
            try Files.makeDirectory(place, mode: 0o700)
            return PackSession(place, client, isUsersNode: true, own: nil)
        } catch let failure as NodeFailure where failure.kind == .unavailable && needsOwn {
            let own = runs ? try await NodeForComparison.own(for: "pack") : nil
            do { try Files.makeDirectory(place, mode: 0o700) } catch {
                await own?.close()
                throw error
            }
            return PackSession(place, try own?.client(), isUsersNode: false, own: own)
        }
    }

    /// Writes the image as one file, to be read from its beginning.
    func archive(of image: PackedImage) async throws -> SharedFD {
        let path = workDirectory + "/image.tar"
        return try await BlockingPool.shared.run { () throws(SystemError) in
            Result { () throws -> SharedFD in
                let fd = SharedFD(try Files.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600))
                try LayoutArchive(image).write(to: fd)
                try Files.rewind(fd.raw)
                return fd
            }
        }.get()
    }

    func close() async {
        await own?.close()
        try? Files.removeTree(workDirectory)
    }
}
