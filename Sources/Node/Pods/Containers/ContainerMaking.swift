import Engine
import Images
import JSON
import KubeObjects
import Linux
import OCI

/// Turns a container of a pod into a wish for the engine.
struct ContainerMaking: Sendable {
    let pod: KubeObject
    let container: JSONValue
    let attempt: Int
    let settings: PodSettings
    let environment: PodEnvironment
    let volumes: [String: PodVolumes.Place]
    let hostname: String

    var name: String { container["name"]?.string ?? "" }

    /// Where the program may leave a last word, on this machine.
    var messageFile: String {
        PodVolumes.directory(settings, pod.uid) + "/containers/" + PodNaming.hash(name) + "/termination-log"
    }

    /// A part of a volume, and where it is to be mounted for this container.
    struct SubPath: Hashable, Sendable {
        var path: String
        var volume: String
        var target: String
    }

    func spec(
        _ found: ImageSupply.Found
    ) async throws(PodMachine.StartFailureError) -> (spec: ContainerSpec, subPaths: [SubPath]) {
        let variables: [(name: String, value: String)]
        do throws(ConfigProblem) { variables = try await environment.variables(of: container) } catch {
            throw .init(.config(error.message))
        }
        let values = Dictionary(variables.map { ($0.name, $0.value) }) { $1 }
        var spec = ContainerSpec(program: "")
        spec.name = PodNaming.name(pod: pod.uid, container: name, attempt: attempt)
        spec.labels = PodNaming.labels(pod, container: name, attempt: attempt)
        spec.image = ContainerImage(found.name, id: found.image.id)
        setProgram(&spec, found.defaults, values)
        spec.environment = variables.map { "\($0.name)=\($0.value)" }
        if let directory = container["workingDir"]?.string, !directory.isEmpty { spec.directory = directory }
        spec.network = .pod(pod.uid)
        spec.hostname = hostname
        spec.hasTerminal = container["tty"]?.bool ?? false
        spec.isInteractive = container["stdin"]?.bool ?? false
        spec.endsInputOnce = container["stdinOnce"]?.bool ?? false && !spec.hasTerminal
        // What checks a container is the pod's to say.
        spec.healthcheck = Healthcheck(test: .none)
        PodResources.apply(
            container["resources"], ofPod: pod.spec["resources"], to: &spec, machine: settings.machine,
            controllers: settings.controllers)
        try PodSecurity(pod: pod, container: container).apply(to: &spec, image: found.defaults)
        var subPaths: [SubPath] = []
        spec.mounts = try mounts(values, &subPaths)
        return (spec, subPaths)
    }

    /// `command` takes the place of the image's entrypoint and leaves its command out; `args` that of its command.
    private func setProgram(_ spec: inout ContainerSpec, _ image: ImageDefaults, _ values: [String: String]) {
        func words(_ key: String) -> [String]? {
            guard let list = container[key]?.array, !list.isEmpty else { return nil }
            return list.map { VariableExpansion.expand($0.string ?? "", { values[$0] }) }
        }
        let (command, arguments) = (words("command"), words("args"))
        if let command {
            spec.entrypoint = command + (arguments ?? [])
        } else if let arguments {
            spec.entrypoint = (image.entrypoint ?? []) + arguments
        }
    }

    private func mounts(
        _ values: [String: String], _ subPaths: inout [SubPath]
    ) throws(PodMachine.StartFailureError) -> [ContainerMount] {
        var mounts: [ContainerMount] = []
        for mount in container["volumeMounts"]?.array ?? [] {
            let name = mount["name"]?.string ?? ""
            guard let place = volumes[name] else {
                throw .init(.config("cannot find volume \"\(name)\" to mount into container \"\(self.name)\""))
            }
            let propagation = mount["mountPropagation"]?.string ?? "None"
            guard propagation == "None" else {
                throw .init(.create("mountPropagation \(propagation) is not supported by this node"))
            }
            var target = mount["mountPath"]?.string ?? ""
            if !target.hasPrefix("/") { target = "/" + target }
            let isReadOnly = place.isReadOnly || mount["readOnly"]?.bool ?? false
            mounts.append(
                .bind(source: try source(mount, place, values, &subPaths), target: target, isReadOnly: isReadOnly))
        }
        if !mounts.contains(where: { $0.target == "/dev/shm" }) {
            // What belongs to the machine's IPC namespace goes with it.
            let shared = pod.spec["hostIPC"]?.bool == true
            let memory = shared ? "/dev/shm" : PodVolumes.directory(settings, pod.uid) + "/shm"
            mounts.append(.bind(source: memory, target: "/dev/shm", isReadOnly: false))
        }
        mounts.append(
            .bind(
                source: messageFile, target: container["terminationMessagePath"]?.string ?? "/dev/termination-log",
                isReadOnly: false))
        return mounts
    }

    private func source(
        _ mount: JSONValue, _ place: PodVolumes.Place, _ values: [String: String], _ subPaths: inout [SubPath]
    ) throws(PodMachine.StartFailureError) -> String {
        let expression = mount["subPathExpr"]?.string ?? ""
        let path =
            expression.isEmpty ? mount["subPath"]?.string ?? "" : VariableExpansion.expand(expression) { values[$0] }
        guard !path.isEmpty else { return place.path }
        guard AtomicFiles.isInside(path) || path == "." else {
            throw .init(.config("subPath \"\(path)\" must be a relative path without \"..\""))
        }
        let target =
            PodVolumes.directory(settings, pod.uid) + "/containers/" + PodNaming.hash(name) + "/subpaths/"
            + "\(attempt)/" + PodNaming.hash(mount["mountPath"]?.string ?? "")
        subPaths.append(SubPath(path: path, volume: place.path, target: target))
        return target
    }
}
