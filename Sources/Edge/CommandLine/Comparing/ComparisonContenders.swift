import Comparison
import Engine
import Linux

/// Makes the rungs of a comparison: each a real configuration of what Forkless and others have.
struct ComparisonContenders {
    var workload: ComparedWorkload
    var rungs: [RungChoice]
    /// Whether the rungs were asked for by name.
    var areAsked: Bool
    var beside: [BesideTool]
    /// Where a service serves the program.
    var service: InternetEndpoint?
    /// Whose pods serve it, as "name" or "namespace/name".
    var deployment: String?
    var parentBytes: Int
    /// Nanoseconds after which a call is ended.
    var timeout: Int
    var session: NodeForComparison
    var node: NodeFlags

    private static let coldUnderLoad =
        "a cold call is the first one of a function; under load its instances stay and are warm"

    /// What takes part, and a sentence for each rung that was asked for and cannot.
    func make() async throws -> (contenders: [Contender], leftOut: [String]) {
        var (contenders, leftOut): ([Contender], [String]) = ([], [])
        for choice in rungs {
            if choice == .service {
                guard let service else {
                    leftOut.append("service: of a service the address is needed (--service).")
                    continue
                }
                let one = ServiceRung(service, replicas: try await replicas())
                guard workload.streams.count == 1 else {
                    leftOut.append(
                        "service: one address serves one program, and this workload has \(workload.streams.count).")
                    continue
                }
                contenders.append(Contender([one]))
                continue
            }
            let all = try workload.streams.map { try rung(choice, $0) }
            contenders.append(Contender(all, noLoad: choice == .cold ? Self.coldUnderLoad : nil, isAsked: areAsked))
        }
        for tool in beside {
            do throws(ComparisonError) {
                var all: [any ComparedRung] = []
                for stream in workload.streams {
                    all.append(try BesideRung(tool, stream.program, stream.arguments, ownExecutable: try own()))
                }
                contenders.append(Contender(all))
            } catch { leftOut.append("\(error).") }
        }
        return (contenders, leftOut)
    }

    private func replicas() async throws -> ServiceReplicas? {
        guard let deployment else { return nil }
        let parts = deployment.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let (node, namespace, name) = (try session.client(), parts.count == 2 ? parts[0] : "default", parts[parts.count - 1])
        return ServiceReplicas(
            node, namespace: namespace, deployment: name,
            scaling: try await DeploymentScaling(node, namespace: namespace, deployment: name))
    }

    private func own() throws(ComparisonError) -> String {
        do { return try OwnProcess.executable() } catch { throw ComparisonError("\(error)") }
    }

    private func rung(_ choice: RungChoice, _ stream: WorkloadStream) throws -> any ComparedRung {
        let (own, processors) = (try own(), OwnProcess.processors())
        switch choice {
        case .fork, .process:
            return try SpawnedRung(
                stream.program, stream.arguments, copiesMemory: choice == .fork, parentBytes: parentBytes,
                ownExecutable: own)
        case .container: return ContainerRung(try session.client(), spec(stream), ownExecutable: own)
        case .standby:
            return StandbyRung(try session.client(), spec(stream), copies: max(4, processors * 2), ownExecutable: own)
        case .lambda: return try lambda(stream, .kept, own)
        case .cold: return try lambda(stream, .cold, own)
        case .zygote: return try lambda(stream, .zygote, own)
        case .warm: return try lambda(stream, .warm, own)
        case .service: preconditionFailure("a service is made of its address")
        }
    }

    private func lambda(_ stream: WorkloadStream, _ form: LambdaRung.Form, _ own: String) throws -> LambdaRung {
        LambdaRung(
            try session.directories(node), stream.program, stream.arguments, form,
            copies: max(2, OwnProcess.processors()),
            timeoutSeconds: ComparisonLimits.functionSeconds(timeout: timeout), ownExecutable: own)
    }

    private func spec(_ stream: WorkloadStream) -> ContainerSpec {
        var spec = ContainerSpec(program: stream.program, arguments: stream.arguments)
        spec.environment = OwnProcess.environment().filter { $0.hasPrefix("PATH=") || $0.hasPrefix("LANG=") }
        spec.removesOnExit = true
        spec.memoryBytes = CompareCommand.memoryBytes
        spec.pidsLimit = CompareCommand.pidsLimit
        spec.isInteractive = true
        return spec
    }
}
