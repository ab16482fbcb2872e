/// How much of a zip archive is believed: everything that one can ask for is bounded before it is given.
package struct ZipLimits: Hashable, Sendable {
    /// Bytes of all files when unpacked. The default is what the Lambda service takes.
    package var bytes = 250 << 20
    package var entries = 100_000
    /// Directories above one another.
    package var depth = 128

    package init() {}
}

/// What unpacking a zip archive gave.
package struct UnpackedZip: Hashable, Sendable {
    package var entries = 0
    /// Bytes of all files.
    package var fileBytes = 0
}
