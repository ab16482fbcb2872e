import Engine
import LambdaAPI
import Linux

/// The file of `--access-keys`: a line `ID SECRET` for each key.
enum AccessKeyFile {
    private static let sizeLimit = 1 << 20

    /// - Throws: `NodeFailure` for a file that cannot be read, that others may read, or that is malformed.
    static func read(_ path: String) async throws(NodeFailure) -> AccessKeys {
        let bytes: [UInt8]
        let status: FileStatus
        do throws(SystemError) {
            (bytes, status) = try await BlockingPool.shared.run { () throws(SystemError) in
                (try Files.read(path, limit: sizeLimit), try Files.status(path))
            }
        } catch { throw NodeFailure(.badRequest, "--access-keys \(path): \(error)") }
        guard status.permissions & 0o077 == 0 else {
            throw NodeFailure(
                .badRequest, "--access-keys \(path): others than its owner may use this file, which has secrets: chmod 600 \(path)")
        }
        do throws(AccessKeys.Failure) {
            return try AccessKeys(parsing: String(decoding: bytes, as: UTF8.self))
        } catch { throw NodeFailure(.badRequest, "--access-keys \(path): \(error)") }
    }
}
