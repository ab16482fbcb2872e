internal import Images
internal import Linux

/// An archive that ADD unpacks: tar, as it is or compressed with gzip, bzip2, xz or zstd; told by its content.
///
/// Invariants
/// 1. What is unpacked stays below the destination's root, with the same policy as `forkless cp`: no devices, no names
///    that lead out. (test: `a hostile archive in a context reaches nothing outside`)
enum LocalArchive {
    /// Those of archives elsewhere, with more ways of compression.
    static var limits: ArchiveLimits {
        var limits = ArchiveLimits.standard
        limits.compressions = Set(Compression.allCases)
        return limits
    }

    /// Whether the file begins with an entry of a tar archive. Something else is copied as it is.
    static func isArchive(_ file: SharedFD, name: String) throws(BuildFailure) -> Bool {
        do throws(ArchiveFailure) {
            return try TarReader(DescriptorSource(file, name: name), limits: limits).next() != nil
        } catch {
            switch error.reason {
            case .damaged: return false
            // A first entry that is refused is one of an archive.
            case .refused, .tooLarge: return true
            case .system, .cancelled: throw BuildFailure(error)
            }
        }
    }

    static func unpack(
        _ file: SharedFD, name: String, into place: CopyPlace, of target: CopyTarget,
        owner: (user: UInt32, group: UInt32)?, _ cancellation: Cancellation
    ) throws(BuildFailure) {
        var policy = UnpackPolicy.copy
        if let owner { policy.owners = .fixed(owner.user, owner.group) }
        do throws(ArchiveFailure) {
            _ = try TarCopy.writeBlocking(
                DescriptorSource(file, name: name), into: place.path, below: target.root, policy: policy, limits: limits,
                cancellation: cancellation)
        } catch {
            var failure = BuildFailure(error)
            failure.sentence = "\(name): \(failure.sentence)"
            throw failure
        }
    }
}
