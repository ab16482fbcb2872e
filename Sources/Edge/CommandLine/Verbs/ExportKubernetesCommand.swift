import ArgumentParser
import Engine
import Graduation
import Linux

/// `forkless export k8s`
struct ExportKubernetesCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "k8s", abstract: "Writes Kubernetes manifests for containers of this node.",
        discussion: """
            forkless export k8s web db > shop.yaml
            kubectl --context production apply -f shop.yaml

            Without names, all containers that run are written. What restarts or serves becomes a Deployment, what \
            ends a Job; published ports become a Service, named volumes claims. Comments at the beginning say what is \
            different on a cluster. The cluster has to reach the images: "forkless push" takes them to a registry.
            """)

    @Option(
        name: [.customShort("n"), .customLong("namespace")],
        help: ArgumentHelp("The namespace that the manifests say (default: whoever applies them does).", valueName: "name"))
    var namespace: String?

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"))
    var file: String?

    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "Containers, by name or id.") var containers: [String] = []

    func run() async throws {
        let client = try await node.connect()
        var names = containers
        if names.isEmpty {
            // What pods are is known to the API that made them.
            names = try await client.call(ListContainers()).containers.reversed()
                .filter { !ExportedContainer.isOfPod(name: $0.name, labels: $0.labels) }.map(\.id)
            guard !names.isEmpty else {
                throw NodeFailure(.notFound, "export manifests: no container runs. Name those that are to be written")
            }
        }
        var exported: [ExportedContainer] = []
        for name in names {
            let details = try await client.call(InspectContainer(container: name))
            guard !ExportedContainer.isOfPod(name: details.summary.name, labels: details.summary.labels) else {
                throw NodeFailure(
                    .badRequest, "export \(name): it is a container of a pod, which the Kubernetes API has: kubectl get pods -A -o yaml")
            }
            exported.append(
                ExportedContainer(name: details.summary.name, spec: details.spec, phase: details.summary.phase))
        }
        let manifests: ExportedManifests
        do throws(ExportFailure) { manifests = try ContainerExport(exported, namespace: namespace).manifests() } catch {
            throw NodeFailure(.unsupported, error.description)
        }
        let text = ManifestText.text(manifests)
        guard let file else { return try StandardStreams.write(text) }
        try await ArchiveOutput.write(to: file, what: "a manifest") { try Files.writeAll(Array(text.utf8), to: $0, name: file) }
    }
}
