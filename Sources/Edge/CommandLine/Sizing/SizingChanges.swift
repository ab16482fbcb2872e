import Deploying
import Engine
import JSON
import Lambda
import Linux
import PodInstances
import RightSizing

/// What became of one change.
struct SizingOutcome {
    var workload: String
    var change: Change
    /// The request, in words.
    var request: String
    /// nil: it was made, or only said.
    var problem: String?

    var json: JSONValue {
        var object = JSONObject()
        object["workload"] = .string(workload)
        object["quantity"] = .string(change.quantity.rawValue)
        object["request"] = .string(request)
        object["problem"] = problem.map { .string($0) }
        return .object(object)
    }
}

/// Makes changes, one after the other; one that fails keeps no other from being made.
struct SizingChanges {
    let node: SizingNode

    func perform(_ advices: [Advice], isRehearsed: Bool) async -> [SizingOutcome] {
        var outcomes: [SizingOutcome] = []
        for advice in advices {
            for change in advice.changes {
                guard let action = change.action else { continue }
                var outcome = SizingOutcome(workload: advice.workload, change: change, request: Self.words(action))
                if !isRehearsed {
                    do { try await perform(action) } catch let failure as LambdaFailure { outcome.problem = failure.sentence } catch {
                        outcome.problem = "\(error)"
                    }
                }
                outcomes.append(outcome)
            }
        }
        return outcomes
    }

    /// As somebody would make the request by hand.
    static func words(_ action: SizingAction) -> String {
        switch action {
        case .functionMemory(let function, let megabytes):
            "aws lambda update-function-configuration --function-name \(function) --memory-size \(megabytes)"
        case .provisioned(let function, let qualifier, 0):
            "aws lambda delete-provisioned-concurrency-config --function-name \(function) --qualifier \(qualifier)"
        case .provisioned(let function, let qualifier, let count):
            "aws lambda put-provisioned-concurrency-config --function-name \(function) --qualifier \(qualifier) "
                + "--provisioned-concurrent-executions \(count)"
        case .container(let id, let memory, let cpus):
            "forkless update \(String(id.prefix(12)))" + (memory.map { " --memory \($0)" } ?? "")
                + (cpus.map { " --cpus \(Self.decimal($0))" } ?? "")
        case .deployment(let namespace, let name, let container, let memory, let cpu):
            "kubectl -n \(namespace) patch deployment \(name) -p '"
                + JSONWriter.text(SizingCluster.patch(container: container, memory: memory, cpu: cpu)) + "'"
        case .shift(let id, let mode, let percent):
            "forkless shift \(id) --mode \(mode)" + (percent.map { " --percent \($0)" } ?? "")
        }
    }

    private static func decimal(_ thousandths: Int) -> String {
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    private func perform(_ action: SizingAction) async throws {
        switch action {
        case .functionMemory(let function, let megabytes):
            let path = "/2015-03-31/functions/\(PathText.encoded(function))/configuration"
            _ = try await node.lambda.call(LambdaRequest("PUT", path, json: ["MemorySize": .integer(Int64(megabytes))]))
        case .provisioned(let function, let qualifier, let count):
            let path = LambdaPaths.provisioned(function, qualifier)
            let request =
                count == 0
                ? LambdaRequest("DELETE", path)
                : LambdaRequest("PUT", path, json: ["ProvisionedConcurrentExecutions": .integer(Int64(count))])
            _ = try await node.lambda.call(request)
        case .container(let id, let memory, let cpus):
            var request = UpdateContainer(container: id)
            request.memoryBytes = memory
            request.milliCPUs = cpus
            _ = try await node.client.call(request)
        case .deployment(let namespace, let name, let container, let memory, let cpu):
            guard let cluster = node.cluster else { throw CommandFailure("the node serves no Kubernetes API") }
            try await cluster.patch(
                namespace: namespace, deployment: name, SizingCluster.patch(container: container, memory: memory, cpu: cpu))
        case .shift(let id, let mode, let percent): try await shift(id, mode, percent)
        }
    }

    /// The specification as it is, in another stage.
    private func shift(_ id: String, _ mode: String, _ percent: Int?) async throws {
        let now = try await node.shifts.call("GET", ShiftDoor.path(id))
        guard var spec = now["shift", "spec"] else { throw CommandFailure("the node did not say what the shift \(id) is") }
        spec["mode"] = .string(mode)
        spec["percent"] = percent.map { .integer(Int64($0)) }
        // Only a canary compares some of its calls.
        if mode != "canary" { spec["comparePercent"] = 0 }
        _ = try await node.shifts.call("POST", "", spec)
    }
}
