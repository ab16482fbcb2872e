internal import Linux

/// Hears what a zygote says on its control socket, one word after the other.
struct ZygoteConversation: Sendable {
    private let control: ZygoteSocket
    private let listening: Task<Void, Never>

    init(_ control: ZygoteSocket, heard: @escaping @Sendable (ZygoteWord) async -> Void) {
        self.control = control
        listening = Task {
            while let bytes = try? await control.receive() { await heard(ZygoteWord(bytes)) }
        }
    }

    /// Returns when all that was said has been heard. The zygote has ended: why it cannot be forked comes right before that,
    /// and the news of the end must not overtake it.
    func finish() async {
        // Ends the listening after what waits in the socket, whoever else has the other end.
        control.shutDown()
        await listening.value
    }
}
