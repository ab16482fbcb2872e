import Engine
import Images
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
    let now: @Sendable () -> Timestamp
    /// Takes a sentence for the node's log.
    let note: @Sendable (String) -> Void

    func fields(_ pod: KubeObject, _ addresses: [String]) -> FieldReference {
        FieldReference(
            pod: pod, addresses: addresses, hostAddress: "\(settings.hostAddress)",
            machineCPUs: settings.machine.cpus.count,
            machineMemory: settings.machine.memoryBytes)
    }

    func volumes(_ pod: KubeObject, _ addresses: [String]) -> PodVolumes {
        PodVolumes(
            pod: pod, settings: settings,
            contents: VolumeContents(pod: pod, references: references, fields: fields(pod, addresses), tokens: tokens),
            now: now)
    }

    func files(_ pod: KubeObject) -> PodFiles {
        PodFiles(pod: pod, settings: settings, machineResolver: (try? Files.readText(settings.resolverFile)) ?? "")
    }
}
