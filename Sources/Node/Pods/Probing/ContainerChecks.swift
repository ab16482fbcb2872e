import Engine
import JSON
import KubeObjects
import Linux
import Synchronization

// Checks and hooks of a container: a program in it, a request to it, a connection.
extension PodWorker {
    /// What a check or a hook has said.
    struct CheckResult: Sendable {
        var isSuccess: Bool
        var message: String
    }

    func probe(_ name: String, _ attempt: Int, _ kind: ProbeKind, _ number: Int) async {
        let key = kind.rawValue.lowercased() + "Probe"
        guard let probe = container(name)?[key] else { return }
        let seconds = PodPlan.bounded(probe["timeoutSeconds"]?.integer, default: 1, 1...PodPlan.longest)
        if let grpc = probe["grpc"], grpc.object != nil {
            let check = GRPCCheck(
                json: grpc, address: machine.addresses.first ?? "", machine: surroundings.settings.machineNetwork,
                seconds: seconds)
            return tell(await check.run(), name, attempt, kind, number)
        }
        let result =
            await within(.seconds(seconds)) { await self.check(probe, name, attempt) }
            ?? CheckResult(isSuccess: false, message: "command timed out: context deadline exceeded after \(seconds)s")
        tell(result, name, attempt, kind, number)
    }

    private func tell(_ result: CheckResult, _ name: String, _ attempt: Int, _ kind: ProbeKind, _ number: Int) {
        guard !Task.isCancelled else { return }
        post(
            .probed(name, attempt: attempt, kind, number: number, isSuccess: result.isSuccess, message: result.message))
    }

    func postStart(_ name: String, _ attempt: Int) async {
        guard let hook = container(name)?["lifecycle", "postStart"] else {
            return post(.postStartDone(name, attempt: attempt, failure: nil))
        }
        let result = await check(hook, name, attempt)
        post(
            .postStartDone(
                name, attempt: attempt, failure: result.isSuccess ? nil : "PostStartHook failed: \(result.message)"))
    }

    func preStop(_ name: String, _ attempt: Int) async {
        if let hook = container(name)?["lifecycle", "preStop"] {
            let result = await check(hook, name, attempt)
            if !result.isSuccess {
                tell(EventNote(.warning, "FailedPreStopHook", "PreStopHook failed: \(result.message)", container: name))
            }
        }
        post(.preStopDone(name, attempt: attempt))
    }

    private func check(_ json: JSONValue, _ name: String, _ attempt: Int) async -> CheckResult {
        if let exec = json["exec"], exec.object != nil {
            return await execute((exec["command"]?.array ?? []).compactMap(\.string), name, attempt)
        }
        if let sleep = json["sleep"]?["seconds"]?.integer {
            try? await Task.sleep(for: .seconds(min(max(sleep, 0), Int64(PodPlan.longest))))
            return CheckResult(isSuccess: true, message: "")
        }
        let place = machine.addresses.first ?? ""
        let machineNetwork = surroundings.settings.machineNetwork
        if let get = json["httpGet"], get.object != nil {
            return await HTTPCheck(json: get, container: container(name), address: place, machine: machineNetwork).run()
        }
        if let tcp = json["tcpSocket"], tcp.object != nil {
            return await ConnectionCheck(json: tcp, container: container(name), address: place, machine: machineNetwork)
                .run()
        }
        return CheckResult(isSuccess: false, message: "missing probe handler")
    }

    /// Runs a program in the container; one that outlives the task is killed.
    private func execute(_ command: [String], _ name: String, _ attempt: Int) async -> CheckResult {
        guard let program = command.first else { return CheckResult(isSuccess: false, message: "the command is empty") }
        let container = PodNaming.name(pod: uid, container: name, attempt: attempt)
        let engine = surroundings.engine
        let output: OutputCapture
        do throws(SystemError) { output = try OutputCapture(limit: Self.outputLimit) } catch {
            return CheckResult(isSuccess: false, message: "\(error)")
        }
        let request = ExecuteInContainer(container: container, program: program, arguments: Array(command.dropFirst()))
        let started = Mutex<String?>(nil)
        let kill: @Sendable () -> Void = {
            guard let execution = started.withLock({ $0 }) else { return }
            let request = KillContainer(container: container, signal: Signal.kill, execution: execution)
            Task { try? await engine.kill(request) }
        }
        // Not a part of this task: where the engine is asked, a program may start that has to be killed.
        let running = Task { () -> Result<ExecuteAnswer, NodeFailure> in
            do throws(NodeFailure) {
                return .success(
                    try await engine.execute(request, descriptors: output.takeDescriptors()) { execution, _ in
                        started.withLock { $0 = execution.execution }
                        if Task.isCancelled { kill() }
                    })
            } catch { return .failure(error) }
        }
        let outcome = await withTaskCancellationHandler {
            await running.value
        } onCancel: {
            running.cancel()
            kill()
        }
        let text = await output.finish()
        switch outcome {
        case .success(let answer): return CheckResult(isSuccess: answer.end.exitStatus == 0, message: text)
        case .failure(let failure): return CheckResult(isSuccess: false, message: failure.message)
        }
    }

    /// As the kubelet keeps of a probe's output.
    private static let outputLimit = 10 << 10
}

/// Does something, at most so long; nil when the time was over first, and what was begun was cancelled.
func within<Value: Sendable>(_ limit: Duration, _ body: @escaping @Sendable () async -> Value) async -> Value? {
    await withTaskGroup(of: Value?.self) { group in
        group.addTask { await body() }
        group.addTask {
            try? await Task.sleep(for: limit)
            return nil
        }
        let first = await group.next() ?? nil
        group.cancelAll()
        return first
    }
}
