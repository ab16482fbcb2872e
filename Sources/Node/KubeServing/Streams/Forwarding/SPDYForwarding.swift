internal import KubeObjects
internal import Synchronization

/// Port-forward by SPDY, as kubectl does it: for each connection one stream of data and one of errors, which say by
/// their headers what they belong to.
///
/// Invariant: a stream whose pair does not come holds a stream's place only, of which there are
/// `SPDYConnection.streamLimit` (`many connections are forwarded at once`).
final class SPDYForwarding: Sendable {
    static let protocolName = "portforward.k8s.io"

    private struct Pair {
        var port: UInt16
        var data: UInt32?
        var errors: UInt32?
    }

    private struct State {
        var pairs: [String: Pair] = [:]
        /// What the client sends, by data stream; from before the pair is complete.
        var inputs: [UInt32: ByteQueue] = [:]
    }

    private let connection: SPDYConnection
    private let target: PodTarget
    private let pods: any PodAccess
    private let state = Mutex(State())

    init(_ link: any ByteLink, _ target: PodTarget, _ pods: any PodAccess) {
        connection = SPDYConnection(link)
        self.target = target
        self.pods = pods
    }

    /// Serves until the client goes.
    func run() async {
        while let events = await connection.next() {
            for event in events { await take(event) }
        }
        let inputs = state.withLock { state in
            defer { state = State() }
            return state.inputs.values.map(\.self)
        }
        for input in inputs { input.close() }
        connection.abort()
    }

    private func take(_ event: SPDYDecoder.Event) async {
        switch event {
        case .opened(let stream, let headers, let isLast): open(stream, headers, isLast)
        case .data(let stream, let bytes, let isLast):
            guard let input = state.withLock({ $0.inputs[stream] }) else { return }
            _ = await input.put(bytes)
            if isLast { input.end() }
        case .reset(let stream): state.withLock { $0.inputs.removeValue(forKey: stream) }?.close()
        case .ping, .goAway: break
        }
    }

    private func open(_ stream: UInt32, _ headers: [String: String], _ isLast: Bool) {
        guard let port = headers["port"].flatMap({ UInt16($0) }), port > 0, let role = headers["streamtype"],
            role == "data" || role == "error"
        else { return connection.reset(stream) }
        // Clients that send no number open the stream of errors first, and that of data next.
        let number = headers["requestid"] ?? "\(role == "data" ? Int(stream) - 2 : Int(stream))"
        let (pair, isRefused) = state.withLock { state -> (Pair?, Bool) in
            var pair = state.pairs[number] ?? Pair(port: port)
            if role == "data" {
                guard pair.data == nil else { return (nil, true) }
                pair.data = stream
                let input = ByteQueue()
                if isLast { input.end() }
                state.inputs[stream] = input
            } else {
                guard pair.errors == nil else { return (nil, true) }
                pair.errors = stream
            }
            let isComplete = pair.data != nil && pair.errors != nil
            state.pairs[number] = isComplete ? nil : pair
            return (isComplete ? pair : nil, false)
        }
        if isRefused { connection.reset(stream) }
        if let pair, let data = pair.data, let errors = pair.errors { start(pair.port, data, errors) }
    }

    private func start(_ port: UInt16, _ data: UInt32, _ errors: UInt32) {
        guard let input = state.withLock({ $0.inputs[data] }) else { return }
        let connection = connection
        let work = PortConnection(target: target, port: port, pods: pods)
        Task {
            let problem = await work.run(input) { await connection.send($0, on: data) }
            // In kubelet's order: a client that sees the end of the data looks at the errors.
            connection.end(errors, problem.map { Array($0.utf8) } ?? [])
            connection.end(data)
            state.withLock { _ = $0.inputs.removeValue(forKey: data) }
        }
    }

    func abort() { connection.abort() }
}
