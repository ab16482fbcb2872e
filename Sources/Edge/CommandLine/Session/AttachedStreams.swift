import Linux
import Synchronization

/// The streams of a container without a terminal that we are attached to: its output and errors come to ours, our
/// standard input goes to it where it has one.
///
/// Each has a thread, since both ends may block.
final class AttachedStreams: Sendable {
    private let ends: [AsyncStream<Void>]

    /// - Parameter input: nil: standard input is not read.
    init(output: SharedFD, errors: SharedFD, input: SharedFD?) throws(SystemError) {
        var ends: [AsyncStream<Void>] = []
        for (source, target) in [(output, StandardStreams.output), (errors, StandardStreams.errors)] {
            let (stream, continuation) = AsyncStream<Void>.makeStream()
            ends.append(stream)
            try HelperThread.start("forkless-output") {
                Self.copy(from: source.raw, to: target)
                withExtendedLifetime(source) {}
                continuation.finish()
            }
        }
        self.ends = ends
        guard let input else { return }
        try HelperThread.start("forkless-input") {
            Self.copy(from: StandardStreams.input, to: input.raw)
            withExtendedLifetime(input) {}
        }
    }

    /// Returns when everything that the program wrote was shown: its end closes the streams.
    func untilEnded() async {
        for end in ends { for await _ in end {} }
    }

    private static func copy(from source: CInt, to target: CInt) {
        while let bytes = try? Files.readSome(source, count: 65536), !bytes.isEmpty {
            guard (try? PatientWriter.write(bytes, to: target)) != nil else { return }
        }
    }
}
