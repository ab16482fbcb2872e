package import Linux

/// The program behind the address of a service, whose replicas run already: each call is a connection on which the input
/// goes there, and the output comes back until the end, as inetd has it.
package struct ServiceRung: ComparedRung {
    package let label = RungLabel(name: "service", title: "service")
    private let endpoint: InternetEndpoint

    /// - Parameter replicas: where they run on this node; nil: elsewhere, or nobody says.
    package init(_ endpoint: InternetEndpoint, replicas: ServiceReplicas? = nil) {
        self.endpoint = endpoint
        self.replicas = replicas
    }

    /// Longest answer that is compared.
    private static let answerLimit = 256 << 20

    private let replicas: ServiceReplicas?

    package var billing: CostEstimate.Billing { .keptReady(instances: max(1, replicas?.count ?? 1)) }

    package var setUp: String {
        guard let replicas, replicas.count > 0 else { return "replicas behind \(endpoint), a connection for each call" }
        return
            "\(replicas.count) replicas of \(replicas.namespace)/\(replicas.deployment) behind \(endpoint), a connection for each call"
    }

    package var steps: DeploymentSteps {
        let name = replicas?.deployment ?? "NAME"
        return DeploymentSteps(
            deploy: [
                "forkless node --detach", "forkless pack -t \(name):1 PROGRAM",
                "forkless kubeconfig > forkless.kubeconfig",
                "kubectl --kubeconfig forkless.kubeconfig apply -f \(name).yaml",
                "kubectl --kubeconfig forkless.kubeconfig rollout status deployment/\(name)",
            ], rollBack: ["kubectl --kubeconfig forkless.kubeconfig rollout undo deployment/\(name)"])
    }

    package func prepare() async throws(ComparisonError) {
        // A service that nobody answers for fails here and not in every call.
        let endpoint = endpoint
        let connected = try await HangWatch.shared.limited(nanoseconds: 10_000_000_000) { () throws(ComparisonError) in
            _ = try await Self.connect(endpoint)
            return true
        }
        guard connected != nil else { throw ComparisonError("connect to \(endpoint): nobody answers") }
        try await replicas?.find()
    }

    package func call(_ input: [UInt8], limit: Int) async throws(ComparisonError) -> CallSample {
        let endpoint = endpoint
        let sample = try await HangWatch.shared.limited(nanoseconds: limit) { () throws(ComparisonError) in
            let began = Clock.monotonicNanoseconds()
            let socket = try await Self.connect(endpoint)
            let connected = Clock.monotonicNanoseconds()
            do {
                try await Self.write(input, to: socket)
                MessageSocket.endOutput(socket.raw)
                let output = try await Self.readAll(socket, endpoint)
                let ended = Clock.monotonicNanoseconds()
                return CallSample(
                    startNanoseconds: connected - began, callNanoseconds: ended - began, cpuMicroseconds: nil,
                    output: output,
                    failure: output.isEmpty && !input.isEmpty
                        ? CallFault(.crash, "the service closed the connection without an answer") : nil)
            } catch let failure as ComparisonError {
                throw failure
            } catch { throw ComparisonError("call \(endpoint): \(error)") }
        }
        replicas?.noteCall()
        return sample ?? .hanging(limit: limit)
    }

    package func meanCPUMicroseconds() async -> Reading<Double> {
        await replicas?.meanCPUMicroseconds() ?? .unavailable(Self.elsewhere)
    }

    private static func write(_ input: [UInt8], to socket: SharedFD) async throws {
        var rest = input[...]
        while !rest.isEmpty {
            guard let count = try Files.writeAvailable(rest, to: socket.raw) else {
                try await Readiness.shared.writable(socket.raw)
                continue
            }
            rest = rest.dropFirst(count)
        }
    }

    private static func connect(_ endpoint: InternetEndpoint) async throws(ComparisonError) -> SharedFD {
        do {
            let socket = SharedFD(try InternetSocket.connect(.stream, to: endpoint))
            try await Readiness.shared.writable(socket.raw)
            // A refused connection is writable, too.
            guard try InternetSocket.peer(socket.raw) != nil else {
                throw ComparisonError("connect to \(endpoint): it was refused")
            }
            return socket
        } catch let failure as ComparisonError {
            throw failure
        } catch { throw ComparisonError("connect to \(endpoint): \(error)") }
    }

    private static func readAll(_ socket: SharedFD, _ endpoint: InternetEndpoint) async throws -> [UInt8] {
        var all: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            guard let count = try Files.readAvailable(socket.raw, into: &room) else {
                try await Readiness.shared.readable(socket.raw)
                continue
            }
            guard count > 0 else { return all }
            all += room[..<count]
            guard all.count <= answerLimit else { throw ComparisonError("call \(endpoint): its answer does not end") }
        }
    }

    package func idleBytes() async -> Reading<Int> {
        do throws(ComparisonError) {
            guard let first = try await replicas?.pids().first else { return .unavailable(Self.elsewhere) }
            return MemoryOfProcess.proportional(first)
        } catch { return .unavailable("\(error)") }
    }

    package func busyBytes(_ input: [UInt8]) async -> Reading<Int> {
        .unavailable("a call runs inside a replica; what it alone holds is not told apart")
    }

    package func hold(_ count: Int) async throws(ComparisonError) -> any HeldInstances {
        guard let replicas else { throw ComparisonError(Self.elsewhere) }
        return try await replicas.hold(count)
    }

    package func killInstance() async throws(ComparisonError) -> Int {
        guard let replicas else { throw ComparisonError(Self.elsewhere) }
        return try InstanceProcesses.killFirst(
            of: try await replicas.pids(), none: "no replica runs that could be killed")
    }

    /// Of a service of which only the address is known.
    private static let elsewhere =
        "of this service only the address is known; --service-deployment says whose pods serve it"

    package func probe(_ environment: [String]) async throws(ComparisonError) -> [UInt8] {
        throw ComparisonError("what runs behind an address cannot be replaced by the probe")
    }
    package func close() async {}
}
