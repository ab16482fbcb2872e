import Engine
import Images
import JSON
import KubeObjects
import Linux
import Sandbox

/// What all workers of a node work with.
struct PodSurroundings: Sendable {
    let engine: ContainerEngine
    let networks: ContainerNetworks
    let images: ImageStore
    let references: References
    let client: any ObjectClient
    let dataPath: (any ServiceDataPath)?
    let tokens: (any ServiceAccountTokens)?
    let settings: PodSettings
    let recorder: EventRecorder
    /// Of images, for all pods.
    let pulls = SharedPulls()
    let now: @Sendable () -> Timestamp
    /// Nanoseconds of a clock that only ticks: against it one sees that the other was set.
    let monotonic: @Sendable () -> Int
    /// Takes a sentence for the node's log.
    let note: @Sendable (String) -> Void

    func tell(_ note: EventNote, of pod: KubeObject) {
        let lists = ["containers", "initContainers", "ephemeralContainers"]
        let path = note.container.map { name in
            let list = lists.first { list in pod.spec[list]?.array?.contains { $0["name"]?.string == name } ?? false }
            return "spec.\(list ?? "containers"){\(name)}"
        }
        recorder.record(
            pod, .pods, by: EventReporter("kubelet", host: settings.nodeName), type: note.kind.rawValue,
            reason: note.reason, message: note.message, fieldPath: path)
    }

    func fields(_ pod: KubeObject, _ addresses: [String]) -> FieldReference {
        FieldReference(
            pod: pod, addresses: addresses, hostAddress: "\(settings.hostAddress)",
            machineCPUs: settings.machine.cpus.count,
            machineMemory: settings.machine.memoryBytes)
    }

    func volumes(_ pod: KubeObject, _ addresses: [String], isInUse: Bool = false) -> PodVolumes {
        PodVolumes(
            pod: pod, settings: settings,
            contents: VolumeContents(pod: pod, references: references, fields: fields(pod, addresses), tokens: tokens),
            now: now, isInUse: isInUse)
    }

    func files(_ pod: KubeObject) -> PodFiles {
        PodFiles(pod: pod, settings: settings, machineResolver: (try? Files.readText(settings.resolverFile)) ?? "")
    }
}
