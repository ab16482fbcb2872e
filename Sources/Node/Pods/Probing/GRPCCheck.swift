import JSON
import Linux
import NIOCore
import NIOHTTP2
import NIOPosix
import Networking
import Synchronization

/// A call of grpc.health.v1.Health/Check over plaintext HTTP/2 (core/v1.GRPCAction), as the kubelet makes it.
///
/// A connection counts once the server has sent its settings; until then, and as long as there is time, it is tried
/// again: nobody listening yet is no other answer than one that says nothing.
struct GRPCCheck: Sendable {
    let json: JSONValue
    /// The pod's.
    let address: String
    let machine: MachineNetwork
    let seconds: Int

    /// gRPC's own pause after a connection that failed.
    private static let pause = Duration.seconds(1)

    func run() async -> PodWorker.CheckResult {
        guard let port = CheckPort.number(json["port"], in: nil) else {
            return failure("error: couldn't find the port of the call")
        }
        let host = address.contains(":") ? "[\(address)]" : address
        let authority = "\(host):\(port)"
        let isConnected = Mutex(false)
        let answer = await within(.seconds(seconds)) {
            while true {
                if let answer = await self.attempt(port, authority, { isConnected.withLock { $0 = true } }) {
                    return answer
                }
                isConnected.withLock { $0 = false }
                guard (try? await Task.sleep(for: Self.pause)) != nil else { return Outcome.failure(Self.late) }
            }
        }
        let span = Self.text(seconds)
        if answer == nil, !isConnected.withLock({ $0 }) {
            return failure(
                "timeout: failed to connect service \"\(authority)\" within \(span): context deadline exceeded")
        }
        return verdict(answer ?? .failure(Self.late), span)
    }

    private typealias Outcome = Result<HealthMessages.Serving, GRPCStatus>

    private static let late = GRPCStatus(.deadlineExceeded, "context deadline exceeded")

    private func verdict(_ outcome: Outcome, _ span: String) -> PodWorker.CheckResult {
        switch outcome {
        case .success(.serving): return .init(isSuccess: true, message: "service healthy")
        case .success(let status): return failure("service unhealthy (responded with \"\(status.name)\")")
        case .failure(let status):
            switch status.code {
            case .unimplemented:
                return failure(
                    "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): \(status.message)"
                )
            case .deadlineExceeded: return failure("timeout: health rpc did not complete within \(span)")
            default: return failure("error: health rpc probe failed: \(status)")
            }
        }
    }

    /// One connection and one call on it; nil when no server of HTTP/2 answered.
    private func attempt(
        _ port: UInt16, _ authority: String, _ connected: @escaping @Sendable () -> Void
    ) async -> Outcome? {
        guard let place = IPAddress(address),
            let fd = try? await Connecting.connect(InternetEndpoint(place, port), machine),
            let own = try? fd.duplicate()
        else { return nil }
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let promise = loop.makePromise(of: Outcome?.self)
        let call = HealthCall(
            service: json["service"]?.string ?? "", authority: authority, milliseconds: seconds * 1000)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let sync = channel.pipeline.syncOperations
                        let streams = try sync.configureHTTP2Pipeline(
                            mode: .client, connectionConfiguration: .init(), streamConfiguration: .init()
                        ) { stream in
                            // A server opens no streams.
                            stream.close()
                        }
                        try sync.addHandler(ConnectionReader(call, streams, promise, connected))
                    }
                }.withConnectedSocket(own.release()).get()
        } catch {
            promise.succeed(nil)
            return nil
        }
        return await withTaskCancellationHandler {
            defer { channel.close(promise: nil) }
            return try? await promise.futureResult.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    /// As Go prints a duration of whole seconds.
    static func text(_ seconds: Int) -> String {
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
        return (hours > 0 ? "\(hours)h" : "") + (seconds >= 60 ? "\(minutes)m" : "") + "\(seconds % 60)s"
    }

    private func failure(_ message: String) -> PodWorker.CheckResult { .init(isSuccess: false, message: message) }
}
