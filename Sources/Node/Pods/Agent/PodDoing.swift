import Engine
import Images
import JSON
import KubeObjects
import Linux
import OCI
import Synchronization

// What a pod's machine asks for, done on this machine.
extension PodWorker {
    private var settings: PodSettings { surroundings.settings }

    // A place for containers.

    /// Volumes, then the network and the files of /etc that depend on it.
    func prepare() async {
        let pod = pod
        do throws(PodVolumes.Problem) {
            let made = try await surroundings.volumes(pod, machine.addresses).make()
            keep(made)
        } catch {
            tell(EventNote(.warning, "FailedMount", error.message))
            return post(.prepareFailed(error.message))
        }
        do throws(ConfigProblem) {
            let place = try await attach(pod)
            let addresses = place.addresses.isEmpty ? ["\(settings.hostAddress)"] : place.addresses.map(\.description)
            let files = surroundings.files(pod)
            let isOfMachine = place.namespace == nil
            let machineHosts = isOfMachine ? (try? Files.readText("/etc/hosts")) ?? "" : ""
            surroundings.networks.write(
                pod: uid, hosts: files.hosts(addresses, machine: machineHosts), resolvConf: files.resolver())
            // Its status says the addresses when containers run: policies are not to wait for that.
            if !isOfMachine, !place.addresses.isEmpty {
                await surroundings.dataPath?.admit(pod, addresses: addresses)
            }
            post(.prepared(addresses: addresses))
        } catch {
            let message = "Failed to create pod sandbox: \(error.message)"
            tell(EventNote(.warning, "FailedCreatePodSandBox", message))
            post(.prepareFailed(message))
        }
    }

    private func attach(_ pod: KubeObject) async throws(ConfigProblem) -> PodPlace {
        if let place = surroundings.networks.place(ofPod: uid) { return place }
        try refuse(pod)
        let files = surroundings.files(pod)
        let hostname = try files.hostname()
        let usesMachine = pod.spec["hostNetwork"]?.bool ?? false
        let ports = try files.hostPorts()
        try await checkRuntimeClass(pod)
        do throws(NodeFailure) {
            return try await surroundings.networks.attach(
                pod: uid, name: PodNaming.prefix + PodNaming.short(uid), network: usesMachine ? nil : settings.network,
                ports: ports, hostname: hostname, usesMachineIPC: pod.spec["hostIPC"]?.bool ?? false,
                settings: PodSysctls(pod: pod).settings)
        } catch { throw ConfigProblem(error.message) }
    }

    /// What of a pod as a whole this node does not do.
    private func refuse(_ pod: KubeObject) throws(ConfigProblem) {
        let spec = pod.spec
        if spec["hostUsers"]?.bool == false {
            throw ConfigProblem("hostUsers false: user namespaces of pods are not supported by this node")
        }
        if spec["resourceClaims"]?.array?.isEmpty == false {
            throw ConfigProblem("resourceClaims are not supported by this node")
        }
    }

    private func checkRuntimeClass(_ pod: KubeObject) async throws(ConfigProblem) {
        guard let name = pod.spec["runtimeClassName"]?.string, !name.isEmpty else { return }
        let found: KubeObject?
        do throws(APIFailure) {
            found = try await surroundings.references.find(.runtimeClasses, namespace: nil, name)
        } catch {
            throw ConfigProblem("failed to get sandbox runtime: \(error.message)")
        }
        guard let found else {
            throw ConfigProblem("failed to get sandbox runtime: RuntimeClass \"\(name)\" not found")
        }
        let handler = found.json["handler"]?.string ?? ""
        guard settings.runtimeHandlers.contains(handler) else {
            throw ConfigProblem("failed to get sandbox runtime: no runtime for \"\(handler)\" is configured")
        }
    }

    func withdraw(by deadline: Timestamp) async {
        if let dataPath = surroundings.dataPath {
            let pause = max(0, deadline.nanoseconds - surroundings.now().nanoseconds)
            await dataPath.withdraw(
                podUID: uid, addresses: machine.addresses, deadline: ContinuousClock.now + .nanoseconds(pause))
        }
        post(.withdrawn)
    }

    func tearDown() async {
        await PodProcesses.end(uid, surroundings)
        await surroundings.networks.release(pod: uid)
        do throws(ConfigProblem) { try await PodVolumes.remove(settings, uid: uid, mounts) } catch {
            surroundings.note("remove the volumes of pod \(uid): \(error.message)")
        }
        post(.tornDown)
    }

    /// Everything has ended: the object goes, and then what the engine still knows.
    func finish(_ writer: StatusWriter) async {
        await writer.flush()
        let pod = pod
        while !Task.isCancelled {
            do throws(APIFailure) {
                try await surroundings.client.delete(
                    .pods, namespace: pod.namespace, pod.name, DeletionOptions(gracePeriodSeconds: 0, uid: uid))
                break
            } catch {
                // Somebody was faster, or another pod has the name now.
                if error.code == 404 || error.code == 409 { break }
                surroundings.note("delete pod \(pod.namespace ?? "")/\(pod.name): \(error)")
                try? await Task.sleep(for: .seconds(1))
            }
        }
        await PodAgent.removeContainers(of: uid, surroundings)
        // A volume that was brought up to date at the last moment.
        try? await PodVolumes.remove(settings, uid: uid, mounts)
        finish()
    }

    // Containers.

    func start(_ name: String, _ attempt: Int) async {
        do throws(PodMachine.StartFailureError) {
            let run = try await run(name, attempt)
            post(.started(name, run))
            if attempt > 1 {
                let old = PodNaming.name(pod: uid, container: name, attempt: attempt - 2)
                try? await surroundings.engine.remove(RemoveContainer(container: old, force: true, volumes: true))
            }
            await follow(name, run)
        } catch {
            for (reason, message) in error.failure.events(image: container(name)?["image"]?.string ?? "") {
                tell(EventNote(.warning, reason, message, container: name))
            }
            post(.startFailed(name, attempt: attempt, error.failure))
        }
    }

    private func run(_ name: String, _ attempt: Int) async throws(PodMachine.StartFailureError) -> ContainerRun {
        let pod = pod
        guard let container = container(name) else {
            throw .init(.create("the pod has no container \"\(name)\" any more"))
        }
        let found = try await supply(container, pod)
        let references = surroundings.references
        let addresses = machine.addresses
        let making = ContainerMaking(
            pod: pod, container: container, attempt: attempt, settings: settings,
            environment: PodEnvironment(references: references, fields: surroundings.fields(pod, addresses), pod: pod),
            volumes: volumes.withLock { $0.places },
            hostname: surroundings.networks.place(ofPod: uid)?.hostname ?? pod.name)
        let (spec, subPaths) = try await making.spec(found)
        try await mount(subPaths)
        if let first = subPaths.first, attempt > 0 {
            // Of the run before, which has ended with its own view of them.
            let parts = first.target.split(separator: "/").dropLast(2)
            try? await mounts.unmountAll(below: "/" + parts.joined(separator: "/") + "/\(attempt - 1)")
        }
        let file = making.messageFile
        do throws(ConfigProblem) {
            try await PodVolumes.onDisk { () throws(SystemError) in try Self.empty(file) }
        } catch { throw .init(.create(error.message)) }
        let id = try await run(spec, of: container, pod)
        tell(EventNote(.normal, "Created", "Container created", container: name))
        tell(EventNote(.normal, "Started", "Container started", container: name))
        let details = try? surroundings.engine.inspect(id)
        if let pid = details?.summary.pid { await OutOfMemoryScore.set(container, of: pod, pid: pid, surroundings) }
        return ContainerRun(
            attempt: attempt, startedAt: details?.summary.startedAt ?? surroundings.now(), id: id,
            image: container["image"]?.string ?? "", imageID: found.image.id.description)
    }

    private func supply(_ container: JSONValue, _ pod: KubeObject) async throws(PodMachine.StartFailureError)
        -> ImageSupply.Found
    {
        let (image, name) = (container["image"]?.string ?? "", container["name"]?.string)
        let supply = ImageSupply(
            images: surroundings.images, settings: settings, references: surroundings.references,
            pulls: surroundings.pulls, waits: pullWaits, now: surroundings.now)
        return try await supply.supply(container, of: pod) { word in
            switch word {
            case .present:
                tell(
                    EventNote(
                        .normal, "Pulled", "Container image \"\(image)\" already present on machine", container: name))
            case .pulling: tell(EventNote(.normal, "Pulling", "Pulling image \"\(image)\"", container: name))
            case .pulled(let milliseconds, let bytes):
                let time =
                    milliseconds < 1000 ? "\(milliseconds)ms" : "\(milliseconds / 1000).\(milliseconds % 1000 / 100)s"
                let words =
                    "Successfully pulled image \"\(image)\" in \(time) (\(time) including waiting). Image size: \(bytes) bytes."
                tell(EventNote(.normal, "Pulled", words, container: name))
            case .secretsMissing(let names):
                let words =
                    "Unable to retrieve some image pull secrets (\(names.joined(separator: ", "))); attempting to pull the image may not succeed."
                tell(EventNote(.warning, "FailedToRetrieveImagePullSecret", words))
            }
        }
    }

    /// The program may write its last word here, whoever it runs as.
    private static func empty(_ file: String) throws(SystemError) {
        let directory = String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)])
        try Files.makeDirectories(directory, mode: 0o755)
        // O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW
        let fd = try Files.open(file, 0o1 | 0o100 | 0o1000 | 0o400_000, mode: 0o666)
        try FileEntries.setMode(0o666, of: fd.raw, name: file)
    }

    /// Starts a container among the processes that it is to see; its id.
    private func run(
        _ spec: ContainerSpec, of container: JSONValue, _ pod: KubeObject
    ) async throws(PodMachine.StartFailureError) -> String {
        let run: @Sendable () async -> Result<String, PodMachine.StartFailureError> = {
            var spec = spec
            do throws(PodMachine.StartFailureError) {
                spec.processes = try await self.processes.sharing(container, pod) { target in
                    self.machine.attempt(of: target).map {
                        PodNaming.name(pod: self.uid, container: target, attempt: $0)
                    }
                }
                do throws(NodeFailure) { return .success(try await self.run(spec)) } catch {
                    throw .init(self.failure(error))
                }
            } catch { return .failure(error) }
        }
        return try await (PodProcesses.areShared(container, pod) ? processes.inTurn(run) : run()).get()
    }

    /// Starts a container; its id. A keeper that dies meanwhile is waited for: what it may have started is looked for
    /// before anything is started again.
    private func run(_ spec: ContainerSpec) async throws(NodeFailure) -> String {
        let engine = surroundings.engine
        let name = spec.name ?? ""
        while true {
            try await engine.untilUp()
            do throws(NodeFailure) {
                return try await engine.run(RunContainer(spec, attachment: .detached, waits: false), descriptors: []) {
                    _, _ in
                }.started.id
            } catch {
                guard error.kind == .unavailable, !Task.isCancelled else { throw error }
                try await engine.untilUp()
                if let id = try await leftover(name) { return id }
            }
        }
    }

    /// What there is of a start whose answer was never seen: the id of one that has run; of another nothing is left.
    private func leftover(_ name: String) async throws(NodeFailure) -> String? {
        while !Task.isCancelled {
            guard let summary = try? surroundings.engine.inspect(name).summary else { return nil }
            switch summary.phase {
            case .running, .paused, .stopping, .exited, .lost: return summary.id
            case .created, .restarting, .removing:
                try await surroundings.engine.remove(RemoveContainer(container: name, force: true, volumes: true))
                return nil
            // The engine asks the keeper, which takes a moment.
            case .starting: try? await Task.sleep(for: .milliseconds(10))
            }
        }
        throw NodeFailure(.cancelled, "the start was taken back")
    }

    /// What a refusal of the engine means for the pod.
    private func failure(_ failure: NodeFailure) -> PodMachine.StartFailure {
        switch failure.kind {
        case .notFound, .notExecutable:
            let now = surroundings.now()
            let message = "failed to start container: \(failure.message)"
            return .run(
                message,
                Termination(exitCode: 128, reason: "StartError", message: message, startedAt: now, finishedAt: now))
        default: return .create(failure.message)
        }
    }

    /// Waits for a run's end and tells it.
    func follow(_ name: String, _ run: ContainerRun) async {
        let end: ContainerEnd
        do throws(NodeFailure) { end = try await surroundings.engine.wait(for: run.id) } catch {
            if Task.isCancelled || error.kind == .cancelled { return }
            let end = ContainerEnd(exitStatus: nil, endedAt: surroundings.now(), keeperLost: true)
            return post(.ended(name, attempt: run.attempt, await termination(name, run, end)))
        }
        post(.ended(name, attempt: run.attempt, await termination(name, run, end)))
    }

    func signal(_ name: String, _ attempt: Int, _ number: Int32?) async {
        let container = PodNaming.name(pod: uid, container: name, attempt: attempt)
        do throws(NodeFailure) {
            let own = number == nil ? try surroundings.engine.inspect(container).spec.stopSignal : nil
            let signal = number ?? own ?? Signal.terminate
            try await surroundings.engine.kill(KillContainer(container: container, signal: signal))
        } catch {
            // It has ended already, which its own task tells.
            if error.kind == .notFound || error.kind == .conflict { return }
            surroundings.note("signal container \(name) of pod \(uid): \(error)")
        }
    }

    // Volumes.

    func keep(_ made: PodVolumes.Made) {
        volumes.withLock { $0 = made }
        let now = surroundings.now()
        refreshVolumes(after: refresh.withLock { $0.succeeded(due: made.refreshAt, now: now) })
    }

    private func refreshVolumes(after pause: Duration?) {
        refreshAlarm.set(after: pause) { self.post(.refreshVolumes) }
    }

    /// Brings what shows other objects up to date; what cannot be had now stays as it was and is tried again.
    func refreshVolumes() {
        let machine = machine
        guard machine.preparation == .done, machine.ending == nil, refresh.withLock({ $0.begin() }) else { return }
        let maker = surroundings.volumes(pod, machine.addresses, isInUse: true)
        tasks.add {
            do throws(PodVolumes.Problem) { self.post(.made(try await maker.make())) } catch {
                self.tell(EventNote(.warning, "FailedMount", error.message))
                self.refreshVolumes(after: self.refresh.withLock { $0.failed() })
            }
        }
    }
}

extension PodMachine.StartFailure {
    /// What events say of it, in the kubelet's words.
    func events(image: String) -> [(reason: String, message: String)] {
        switch self {
        case .pull(let message):
            [("Failed", "Failed to pull image \"\(image)\": \(message)"), ("Failed", "Error: ErrImagePull")]
        case .image(let reason, let message):
            [(reason == "InvalidImageName" ? "InspectFailed" : reason, message), ("Failed", "Error: \(reason)")]
        case .config(let message), .create(let message), .run(let message, _): [("Failed", "Error: \(message)")]
        }
    }
}
