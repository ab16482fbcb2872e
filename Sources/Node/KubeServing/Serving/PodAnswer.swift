internal import HTTPServing
internal import KubeObjects

/// What becomes of a request for a pod's streams: which protocol the client and the door speak, and who carries it.
struct PodAnswer {
    private let wanted: PodRequest
    private let request: APIRequest
    private let answer: DoorAnswer
    private let parts: DoorParts

    init(_ wanted: PodRequest, _ request: APIRequest, _ answer: DoorAnswer, _ parts: DoorParts) {
        self.wanted = wanted
        self.request = request
        self.answer = answer
        self.parts = parts
    }

    func give() async {
        do throws(APIFailure) {
            switch wanted {
            case .log(let target, let options):
                // What is wrong is said before the first byte.
                let lines = try await parts.pods.log(target, options)
                await answer.parts(APIResponse(200, headers: [("Content-Type", "text/plain")]), lines, parts.open)
            case .execute(let target, let options, let command):
                try await carry(options) { (options) async throws(APIFailure) in
                    try await parts.pods.execute(target, options, command: command)
                }
            case .attach(let target, let options):
                try await carry(options) { (options) async throws(APIFailure) in
                    try await parts.pods.attach(target, options)
                }
            case .portForward(let target, let ports): try await forward(target, ports)
            }
        } catch {
            await answer.whole(APIResponse(failure: error))
        }
    }

    // MARK: Exec and attach

    private func carry(
        _ asked: PodStreamOptions, _ start: (PodStreamOptions) async throws(APIFailure) -> any PodSession
    ) async throws(APIFailure) {
        var options = asked
        // A terminal has one stream of output, whatever was asked for.
        if options.tty { options.stderr = false }
        guard options.stdin || options.stdout || options.stderr else {
            throw .badRequest("you must specify at least 1 of stdin, stdout, stderr")
        }
        let offer = try offer()
        let begun: Result<any PodSession, APIFailure>
        do throws(APIFailure) { begun = .success(try await start(options)) } catch {
            // What the client did wrong is told by HTTP. A program that does not start is told by the error stream:
            // clients would take it for a server that cannot be upgraded, and try again.
            guard error.code >= 500 else { throw error }
            begun = .failure(error)
        }
        guard let pipe = await answer.upgrade(offer.headers) else {
            if case .success(let session) = begun { session.abandon() }
            return
        }
        let number = parts.open.add { pipe.abort() }
        defer { parts.open.remove(number) }
        guard let client = await client(offer, pipe, options) else {
            if case .success(let session) = begun { session.abandon() }
            return
        }
        switch begun {
        case .success(let session): await SessionBridge(session, client, heartbeat: parts.heartbeat).run()
        case .failure(let failure): await client.end(.failure(failure))
        }
    }

    private enum Offer {
        case channels(ChannelProtocol, [(name: String, value: String)])
        case streams(StreamProtocol, [(name: String, value: String)])

        var headers: [(name: String, value: String)] {
            switch self {
            case .channels(_, let headers), .streams(_, let headers): headers
            }
        }
    }

    private func offer() throws(APIFailure) -> Offer {
        let headers = request.headers
        if WebSocketHandshake.isAsked(headers) {
            let asked = WebSocketHandshake.protocols(headers)
            guard let chosen = ChannelProtocol.chosen(asked) else {
                throw Self.unsupported(asked, ChannelProtocol.allCases.map(\.rawValue).filter { !$0.isEmpty })
            }
            let name = chosen == .unnamed ? nil : chosen.rawValue
            return .channels(chosen, try WebSocketHandshake.answer(request, protocol: name))
        }
        guard UpgradeOffer.isSPDY(headers) else { throw UpgradeOffer.required }
        let asked = UpgradeOffer.streamProtocols(headers)
        guard let chosen = StreamProtocol.chosen(asked) else {
            throw APIFailure(
                403, "Forbidden",
                "unable to upgrade: unable to negotiate protocol: client supports \(asked), server supports "
                    + "\(StreamProtocol.allCases.map(\.rawValue))")
        }
        var fields = [("Upgrade", "SPDY/3.1")]
        if !asked.isEmpty { fields.append(("X-Stream-Protocol-Version", chosen.rawValue)) }
        return .streams(chosen, fields)
    }

    private func client(_ offer: Offer, _ pipe: DuplexPipe, _ options: PodStreamOptions) async -> (any StreamClient)? {
        switch offer {
        case .channels(let version, _): return WebSocketStreams(pipe, version, options)
        case .streams(let version, _):
            let client = SPDYStreams(pipe, version, options)
            return await client.open() ? client : nil
        }
    }

    private static func unsupported(_ asked: [String], _ known: [String]) -> APIFailure {
        .badRequest("requested protocol(s) are not supported: \(asked); supports \(known)")
    }

    // MARK: Port-forward

    private func forward(_ target: PodTarget, _ ports: [UInt16]) async throws(APIFailure) {
        let headers = request.headers
        if WebSocketHandshake.isAsked(headers) {
            let asked = WebSocketHandshake.protocols(headers)
            let tunnel = "SPDY/3.1+" + SPDYForwarding.protocolName
            if asked.contains(tunnel) {
                let fields = try WebSocketHandshake.answer(request, protocol: tunnel)
                await upgraded(fields) { await SPDYForwarding(WebSocketTunnel($0), target, parts.pods).run() }
                return
            }
            let chosen = asked.first { WebSocketForwarding.protocols.contains($0) }
            guard asked.isEmpty || chosen != nil else {
                throw Self.unsupported(asked, [tunnel] + WebSocketForwarding.protocols)
            }
            guard !ports.isEmpty, ports.count <= WebSocketForwarding.portLimit, !ports.contains(0) else {
                throw .badRequest("query parameter \"ports\" is required: 1 to \(WebSocketForwarding.portLimit) ports")
            }
            let fields = try WebSocketHandshake.answer(request, protocol: chosen)
            await upgraded(fields) {
                await WebSocketForwarding(
                    $0, isBase64: chosen?.contains("base64") ?? false, target, ports: ports, parts.pods
                ).run()
            }
            return
        }
        guard UpgradeOffer.isSPDY(headers) else { throw UpgradeOffer.required }
        let asked = UpgradeOffer.streamProtocols(headers)
        guard asked.isEmpty || asked.contains(SPDYForwarding.protocolName) else {
            throw APIFailure(
                403, "Forbidden",
                "unable to upgrade: unable to negotiate protocol: client supports \(asked), server supports "
                    + "[\(SPDYForwarding.protocolName)]")
        }
        var fields = [("Upgrade", "SPDY/3.1")]
        if !asked.isEmpty { fields.append(("X-Stream-Protocol-Version", SPDYForwarding.protocolName)) }
        await upgraded(fields) { await SPDYForwarding($0, target, parts.pods).run() }
    }

    private func upgraded(_ fields: [(name: String, value: String)], _ body: (DuplexPipe) async -> Void) async {
        guard let pipe = await answer.upgrade(fields) else { return }
        let number = parts.open.add { pipe.abort() }
        defer { parts.open.remove(number) }
        await body(pipe)
    }
}
