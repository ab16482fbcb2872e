import Engine
import JSON
import Keeper
import KubeObjects
import Linux
import Sandbox

/// Which processes the containers of a pod see, and the first one of those that they share.
///
/// A pid namespace ends with its first process, and containers are started anew one by one. So where a pod shares its
/// processes the first one is none of them: a container of its own, in which the keeper's program waits, reaps and does
/// nothing else (`InitProgram`). It sees no file of the machine and holds no right.
///
/// Invariants
/// 1. All containers of such a pod are in one pid namespace, also after a restart of one, of the node or of the keeper.
///    (test: `containers that share processes see each other, and are started again alone`)
/// 2. Starts in one pid namespace follow one another: the keeper refuses some that do not.
actor PodProcesses {
    private let uid: String
    private let surroundings: PodSurroundings
    private var last: Task<Void, Never>?

    init(_ uid: String, _ surroundings: PodSurroundings) {
        self.uid = uid
        self.surroundings = surroundings
    }

    /// Whether a container of the pod is in a pid namespace with others.
    static func areShared(_ container: JSONValue, _ pod: KubeObject) -> Bool {
        guard pod.spec["hostPID"]?.bool != true else { return false }
        return pod.spec["shareProcessNamespace"]?.bool == true || target(of: container) != nil
    }

    private static func target(of container: JSONValue) -> String? {
        container["targetContainerName"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What a container of the pod is to see.
    ///
    /// - Parameter running: the engine's name of a container of the pod that runs now.
    func sharing(
        _ container: JSONValue, _ pod: KubeObject, running: @Sendable (String) -> String?
    ) async throws(PodMachine.StartFailureError) -> ProcessSharing {
        if pod.spec["hostPID"]?.bool == true { return .host }
        if pod.spec["shareProcessNamespace"]?.bool == true {
            do throws(NodeFailure) { return .container(try await first()) } catch {
                throw .init(.create("the first process of the pod: \(error.message)"))
            }
        }
        guard let target = Self.target(of: container) else { return .own }
        guard let name = running(target) else { throw .init(.config("unable to find target container \(target)")) }
        return .container(name)
    }

    /// One start after the other.
    func inTurn<Value: Sendable>(
        _ body: @escaping @Sendable () async -> Result<Value, PodMachine.StartFailureError>
    ) async -> Result<Value, PodMachine.StartFailureError> {
        let before = last
        let task = Task {
            await before?.value
            return await body()
        }
        last = Task { _ = await task.value }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    // The first process.

    /// The engine's name of the container with the pod's first process; it is started where it does not run.
    private func first() async throws(NodeFailure) -> String {
        let engine = surroundings.engine
        let name = PodNaming.first(pod: uid)
        while true {
            try await engine.untilUp()
            switch try? engine.inspect(name).summary.phase {
            case .running, .paused, .stopping: return name
            case .starting: try? await Task.sleep(for: .milliseconds(10))
            case nil:
                do throws(NodeFailure) {
                    let wish = RunContainer(try await spec(name), attachment: .detached, waits: false)
                    _ = try await engine.run(wish, descriptors: []) { _, _ in }
                } catch {
                    // A keeper that died meanwhile: what there is of it is looked for.
                    guard error.kind == .unavailable, !Task.isCancelled else { throw error }
                }
            default: try await engine.remove(RemoveContainer(container: name, force: true, volumes: true))
            }
            if Task.isCancelled { throw NodeFailure(.cancelled, "the start was taken back") }
        }
    }

    private func spec(_ name: String) async throws(NodeFailure) -> ContainerSpec {
        // One for all pods, so that they share a template in the keeper; no uid has a dot.
        let root = surroundings.settings.directory + "/.first"
        do throws(ConfigProblem) {
            try await PodVolumes.onDisk { () throws(SystemError) in try Files.makeDirectories(root, mode: 0o755) }
        } catch { throw NodeFailure(.system, error.message) }
        var spec = ContainerSpec(program: SandboxPlan.initPath, arguments: [InitProgram.flag])
        spec.name = name
        spec.labels = [PodNaming.uidLabel: uid, PodNaming.firstLabel: "true"]
        spec.root = .directory(root)
        spec.usesInit = true
        // Nobody's, as that of other runtimes.
        spec.user = "65535:65535"
        spec.network = .isolated
        #if DEBUG
            // What is installed needs no libraries (Makefile); what is built for tests does.
            spec.mounts = ["/lib", "/lib64"].filter(Files.exists).map {
                .bind(source: $0, target: $0, isReadOnly: true)
            }
        #endif
        return spec
    }

    /// Ends it, and with it all that is in its pid namespace.
    static func end(_ uid: String, _ surroundings: PodSurroundings) async {
        let request = RemoveContainer(container: PodNaming.first(pod: uid), force: true, volumes: true)
        do throws(NodeFailure) { try await surroundings.engine.remove(request) } catch {
            guard error.kind != .notFound else { return }
            surroundings.note("remove the first process of pod \(uid): \(error)")
        }
    }
}
