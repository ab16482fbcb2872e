import Glibc
import Linux

/// The descriptors that a program in the foreground gets as its stdin, stdout and stderr: our own, so that nothing
/// stands between it and whoever reads.
struct ProgramStreams {
    private let null: SharedFD?

    /// - Parameter isInteractive: `-i`; without it standard input is empty.
    init(isInteractive: Bool) throws(SystemError) {
        null = isInteractive ? nil : SharedFD(try Files.open("/dev/null", O_RDONLY))
    }

    /// Valid while this value lives.
    var descriptors: [CInt] {
        [null?.raw ?? StandardStreams.input, StandardStreams.output, StandardStreams.errors]
    }
}
