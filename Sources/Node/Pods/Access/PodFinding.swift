import Engine
import KubeObjects
import Linux

// Which container of which pod a client means.
extension PodAgent {
    /// The pod's worker.
    func find(_ target: PodTarget) throws(APIFailure) -> PodWorker {
        guard let worker = worker(target.uid) else {
            throw APIFailure(404, "NotFound", "pod \"\(target.name)\" does not run on this node")
        }
        return worker
    }

    /// The name that the engine has for the latest run of a container.
    func container(_ target: PodTarget, _ worker: PodWorker) throws(APIFailure) -> (name: String, life: ContainerLife) {
        let machine = worker.machine
        let name = target.container ?? machine.plan.main.first?.name ?? ""
        guard let life = machine.containers.first(where: { $0.plan.name == name }) else {
            throw .badRequest("container \(name) is not valid for pod \(target.name)")
        }
        return (name, life)
    }

    /// The engine's name of a container that runs.
    func running(_ target: PodTarget) throws(APIFailure) -> String {
        let worker = try find(target)
        let (name, life) = try container(target, worker)
        guard let run = life.run else {
            throw .badRequest("container \(name) is not running in pod \(target.name)")
        }
        return PodNaming.name(pod: target.uid, container: name, attempt: run.attempt)
    }
}

extension APIFailure {
    /// What the engine refuses, to a client of the API.
    init(_ failure: NodeFailure) {
        switch failure.kind {
        case .notFound: self.init(404, "NotFound", failure.message)
        case .conflict, .badRequest, .unsupported, .notExecutable, .noImage:
            self.init(400, "BadRequest", failure.message)
        case .unavailable: self = .unavailable(failure.message)
        default: self = .internalError(failure.message)
        }
    }
}
