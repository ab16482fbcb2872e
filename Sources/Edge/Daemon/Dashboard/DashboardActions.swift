import Catalog
import Dashboard
import Engine
import ExecDoor
import JSON
import Lambda

// What the dashboard's buttons do: the same operations as of the command line and the APIs.
extension NodeDashboard {
    func perform(_ action: DashboardAction) async throws(DashboardFailure) -> String {
        switch action {
        case .startContainer(let id):
            return try await engine { () async throws(NodeFailure) in
                let started = try await node.engine.start(id)
                return "Container \(started.name) was started; it runs as process \(started.pid)."
            }
        case .stopContainer(let id):
            return try await engine { () async throws(NodeFailure) in
                let name = try node.engine.inspect(id).summary.name
                let end = try await node.engine.stop(StopContainer(container: id))
                return "Container \(name) was stopped; its exit status is \(ContainerWorkloads.status(end))."
            }
        case .restartContainer(let id):
            return try await engine { () async throws(NodeFailure) in
                _ = try await node.engine.stop(StopContainer(container: id))
                let started = try await node.engine.start(id)
                return "Container \(started.name) was restarted; it runs as process \(started.pid)."
            }
        case .removeContainer(let id):
            return try await engine { () async throws(NodeFailure) in
                let name = try node.engine.inspect(id).summary.name
                try await node.engine.remove(RemoveContainer(container: id))
                return "Container \(name) was removed."
            }
        case .rollBackShift(let id): return try await ask(id, .rollback, "was rolled back: the original answers every call.")
        case .pauseShift(let id): return try await ask(id, .pause(unmounts: false), "is paused: the original answers every call.")
        case .resumeShift(let id): return try await ask(id, .resume, "goes on.")
        case .provision(let name, let qualifier, let copies): return try await provision(name, qualifier, copies ?? 0)
        case .deleteFunction(let name):
            try await catalog(.deleteFunction, OperationInput(path: ["FunctionName": name]))
            return "Function \(name) was deleted."
        case .removeImage(let id):
            return try await engine { () async throws(NodeFailure) in
                // By its id, so all its names; a container's image stays, with a sentence.
                let removed = try await images.remove(RemoveImage(image: id, force: true))
                return "The image was removed: \(removed.untagged.count) names, \(removed.freedBytes) bytes freed."
            }
        case .verifyLedger:
            guard let ledgerView else { throw DashboardFailure(.unavailable, "This node keeps no ledger: it serves no functions.") }
            let check = try await ledgerView.verify()
            if let fault = check.fault { throw DashboardFailure(.conflict, "The ledger is damaged: \(fault).") }
            return "The ledger was verified: " + (check.good == 1 ? "1 record is good." : "\(check.good) records are good.")
        }
    }

    private func engine(_ body: () async throws(NodeFailure) -> String) async throws(DashboardFailure) -> String {
        do throws(NodeFailure) { return try await body() } catch { throw DashboardFailure(error) }
    }

    private func ask(_ id: String, _ verb: ShiftVerb, _ words: String) async throws(DashboardFailure) -> String {
        guard let desk = parts.shifts else { throw DashboardFailure(.unavailable, "This node cannot shift programs.") }
        do throws(ShiftProblem) {
            return "The shift of \(try await desk.ask(id, verb).spec.program) \(words)"
        } catch {
            let kind: DashboardFailure.Kind =
                switch error.kind {
                case .notFound: .notFound
                case .conflict: .conflict
                case .invalid, .unsupported: .invalid
                case .system: .failed
                }
            throw DashboardFailure(kind, error.description)
        }
    }

    private func provision(_ name: String, _ qualifier: String, _ copies: Int) async throws(DashboardFailure) -> String {
        var input = OperationInput(path: ["FunctionName": name], query: [("Qualifier", qualifier)])
        guard copies > 0 else {
            try await catalog(.deleteProvisionedConcurrencyConfig, input)
            return "No copies of function \(name), \(qualifier), are kept ready any more."
        }
        input.body = ["ProvisionedConcurrentExecutions": .integer(Int64(copies))]
        try await catalog(.putProvisionedConcurrencyConfig, input)
        return "\(copies) \(copies == 1 ? "copy" : "copies") of function \(name), \(qualifier), will be kept ready."
    }

    private func catalog(_ operation: LambdaOperation, _ input: OperationInput) async throws(DashboardFailure) {
        guard let rung = parts.functions else { throw DashboardFailure(.unavailable, "This node serves no functions.") }
        do throws(LambdaFailure) { _ = try await rung.catalog.perform(operation, input) } catch {
            let kind: DashboardFailure.Kind =
                switch error.status {
                case 404: .notFound
                case 409: .conflict
                case 400..<500: .invalid
                default: .failed
                }
            throw DashboardFailure(kind, error.message)
        }
    }
}
