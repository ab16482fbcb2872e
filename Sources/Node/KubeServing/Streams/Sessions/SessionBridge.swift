internal import KubeObjects
internal import Linux
internal import Synchronization

/// A program in a container and the client that talks to it, until one of them ends.
///
/// Invariants (tests in StreamTests):
/// 1. What a program wrote before its end comes before the word of it (`all output comes before the exit code`).
/// 2. A client that goes abandons the session (`a client that goes leaves its program to the session`).
///    and so does one that has gone while its input is held back (`input that a program does not take is held back`).
/// 3. Both ways wait for whoever is slower, and hold no more than the buffers on the way
///    (`input that a program does not take is held back`).
final class SessionBridge: Sendable {
    /// How long output is waited for after a program's end: somebody whom it started may hold it open for ever.
    private static let lastWords = Duration.seconds(1)

    private enum Ending: Sendable {
        case program(StreamOutcome)
        case client
    }

    private let session: any PodSession
    private let client: any StreamClient
    private let heartbeat: Duration

    /// - Parameter heartbeat: how often the client is asked whether it is there.
    init(_ session: any PodSession, _ client: any StreamClient, heartbeat: Duration) {
        self.session = session
        self.heartbeat = heartbeat
        self.client = client
    }

    func run() async {
        let ending = FirstValue<Ending>()
        client.whenGone { ending.set(.client) }
        let input = Task {
            await takeEvents()
            ending.set(.client)
        }
        let output = [(session.output, OutputStream.output), (session.errors, .errors)].compactMap { fd, stream in
            fd.map { fd in Task { _ = await DescriptorPump.read(fd) { await client.send($0, stream) } } }
        }
        let end = Task {
            do throws(APIFailure) { ending.set(.program(.exit(try await session.end()))) } catch {
                ending.set(.program(.failure(error)))
            }
        }
        // The end of a client whose input nobody takes does not come by itself: it stands behind that input.
        let asking = Task {
            while true {
                try await Task.sleep(for: heartbeat)
                client.ping()
            }
        }
        defer { asking.cancel() }
        switch await ending.value {
        case .client:
            session.abandon()
            for task in output { task.cancel() }
            end.cancel()
            client.abort()
        case .program(let outcome):
            let deadline = Task {
                try? await Task.sleep(for: Self.lastWords)
                for task in output { task.cancel() }
            }
            for task in output { await task.value }
            deadline.cancel()
            await client.end(outcome)
        }
        input.cancel()
    }

    private func takeEvents() async {
        var isOpen = session.input != nil
        while let events = await client.next() {
            for event in events {
                switch event {
                case .input(let bytes):
                    guard isOpen, let input = session.input else { continue }
                    isOpen = await DescriptorPump.write(bytes, to: input)
                case .inputEnd:
                    if isOpen { session.closeInput() }
                    isOpen = false
                case .size(let size): await session.resize(columns: size.columns, rows: size.rows)
                }
            }
        }
    }
}

/// The first of several values, waited for by one task.
final class FirstValue<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiter: UnsafeContinuation<Value, Never>?
    }
    private let state = Mutex(State())

    func set(_ value: Value) {
        let waiter = state.withLock { state -> UnsafeContinuation<Value, Never>? in
            guard state.value == nil else { return nil }
            state.value = value
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: value)
    }

    var value: Value {
        get async {
            await withUnsafeContinuation { continuation in
                let early = state.withLock { state in
                    if state.value == nil { state.waiter = continuation }
                    return state.value
                }
                if let early { continuation.resume(returning: early) }
            }
        }
    }
}
