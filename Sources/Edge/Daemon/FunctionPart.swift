import Engine
import Functions
import Graduation
import JSON
import Linux
import PodInstances
import Sandbox

/// The function rung as a part of the node: `functions.call`, `functions.list` and `functions.remove` over pools of standbys.
package enum FunctionPart {
    /// Makes the part for a node.
    package static let maker: NodePart.Maker = { node in
        let (link, planner) = (node.link, node.planner)
        let sandboxes = StandbySandboxes(link)
        let cluster = try cluster(node.settings)
        let registry = FunctionRegistry { definition throws(PoolError) in
            do throws(NodeFailure) {
                let spec = try spec(of: definition)
                if let cluster { return try pods(of: spec, definition, cluster) }
                return SandboxInstanceProvider(sandboxes, try await planner.plan(spec))
            } catch { throw PoolError(error) }
        }
        node.dashboard.add { $0.pools = registry }
        let capacity = try? MachineCapacity.ofThisMachine()
        let routes = [
            NodeRoute(CallFunction.self) { request, exchange async throws(NodeFailure) in
                try await call(request, exchange, registry, capacity)
            },
            NodeRoute(ListFunctions.self) { _, _ async throws(NodeFailure) in
                FunctionList(functions: await registry.list().map { summary(of: $0) })
            },
            NodeRoute(RemoveFunction.self) { request, _ async throws(NodeFailure) in
                do throws(PoolError) { try await registry.drain(name: request.name) } catch { throw NodeFailure(error) }
                return NoValue()
            },
        ]
        var part = NodePart(owner: sandboxes.lives, routes: routes) {
            await registry.close()
            await cluster?.close()
        }
        part.sources = [StandbyPoolMetrics(registry)]
        return part
    }

    /// The cluster that copies run on; nil: on this machine.
    private static func cluster(_ settings: NodeSettings) throws(NodeFailure) -> ClusterClient? {
        guard let path = settings.functionCluster else { return nil }
        do { return try ClusterClient(try Kubeconfig.read(path)) } catch {
            throw NodeFailure(.badRequest, "--function-cluster: \(error)")
        }
    }

    private static func pods(
        of spec: ContainerSpec, _ definition: FunctionDefinition, _ cluster: ClusterClient
    ) throws(NodeFailure) -> PodInstanceProvider {
        var spec = spec
        if spec.image == nil {
            // A cluster has no programs but those of images, so that the first word is one.
            guard !["/", "./", "../"].contains(where: spec.program.hasPrefix) else {
                throw NodeFailure(
                    .unsupported,
                    "run \(spec.program) on a cluster: this node's functions are pods, so name an image that the cluster can "
                        + "pull, then the command in it")
            }
            spec.image = ContainerImage(spec.program)
            spec.program = spec.arguments.first ?? ""
            spec.arguments = Array(spec.arguments.dropFirst())
        }
        let container = ExportedContainer(name: spec.name ?? spec.image!.name, spec: spec, phase: .created)
        let pod: JSONValue
        do throws(ExportFailure) { pod = try ContainerExport.pod(of: container) } catch {
            throw NodeFailure(.unsupported, error.description)
        }
        let name = pod["containers"]?[0]?["name"]?.string ?? "function"
        // A pool of another node, or of this one before, is none of ours.
        let pool = "\(name)-\(OwnProcess.pid)-\(UInt32.random(in: 0...UInt32.max))"
        return PodInstanceProvider(cluster, pod: pod, name: name, pool: pool)
    }

    /// A program in equal circumstances is one function: the text of its spec tells.
    private static func definition(of request: CallFunction, _ capacity: MachineCapacity?) -> FunctionDefinition {
        var spec = request.spec
        spec.rung = .container
        // A machine that cannot be read is taken for the smallest.
        let most = PoolConfiguration.suggestedMaximum(
            processors: capacity?.cpus.count ?? 1, memoryBytes: capacity?.memoryBytes ?? assumedBytesPerCopy,
            bytesPerCopy: spec.memoryBytes ?? assumedBytesPerCopy)
        let maximum = request.maximum ?? max(most, request.minimum ?? 1)
        let pool = PoolConfiguration(minimum: request.minimum ?? min(2, maximum), maximum: maximum)
        return FunctionDefinition(
            name: spec.name ?? spec.program, program: JSONWriter.text(spec.json), pool: pool)
    }

    /// What a copy may cost that names no memory limit, for the bound on how many there may be.
    private static let assumedBytesPerCopy = 64 << 20

    private static func spec(of definition: FunctionDefinition) throws(NodeFailure) -> ContainerSpec {
        do { return try ContainerSpec(strict: try JSONParser.parse(definition.program)) } catch {
            throw NodeFailure(.badRequest, "read the function's spec: \(error)")
        }
    }

    private static func call(
        _ request: CallFunction, _ exchange: NodeExchange, _ registry: FunctionRegistry, _ capacity: MachineCapacity?
    ) async throws(NodeFailure) -> FunctionAnswer {
        try exchange.require(descriptors: 3, for: "a call")
        guard !request.spec.hasTerminal else {
            throw NodeFailure(.badRequest, "-t: a function reads its caller's input; it has no terminal")
        }
        let definition = definition(of: request, capacity)
        let instance: AssignedInstance
        do { instance = try await registry.call(definition) } catch { throw NodeFailure(error) }
        let record = await StreamRelay.carry(exchange.descriptors, through: instance)
        return FunctionAnswer(
            end: try end(of: record), wasStandby: record.wasStandby, queueMicroseconds: record.queued.microseconds,
            runMicroseconds: record.run.microseconds)
    }

    private static func end(of record: CallRecord) throws(NodeFailure) -> ContainerEnd {
        switch record.end.outcome {
        case .ended(let status):
            var signal: Int32?
            if case .signaled(let number, _) = status { signal = number }
            return ContainerEnd(
                exitStatus: status.shellStatus, signal: signal, endedAt: Clock.now(),
                outOfMemory: record.end.outOfMemory, userMicroseconds: record.end.userMicroseconds,
                systemMicroseconds: record.end.systemMicroseconds, peakMemoryBytes: record.end.peakMemoryBytes)
        case .unknown(let why): throw NodeFailure(.system, "how the call ended is not known: \(why)")
        }
    }

    private static func summary(of status: FunctionStatus) -> FunctionSummary {
        let spec = try? spec(of: status.definition)
        return FunctionSummary(
            name: status.definition.name, program: spec?.program ?? status.definition.name,
            arguments: spec?.arguments ?? [], waiting: status.counts.ready, starting: status.counts.starting,
            busy: status.counts.busy, minimum: status.definition.pool.minimum,
            maximum: status.definition.pool.maximum, calls: status.counts.calls, misses: status.counts.coldCalls)
    }
}

extension Duration {
    fileprivate var microseconds: Int {
        Int(components.seconds) * 1_000_000 + Int(components.attoseconds / 1_000_000_000_000)
    }
}
