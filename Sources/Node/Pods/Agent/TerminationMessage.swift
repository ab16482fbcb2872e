import Engine
import JSON
import KubeObjects
import Linux

// How a container ended, with the last word that it left.
extension PodWorker {
    /// As the kubelet: 4 KiB of the file, or 2 KiB and 80 lines of the log.
    private static let fileBytes = 4096
    private static let logBytes = 2048
    private static let logLines = 80

    func termination(_ name: String, _ run: ContainerRun, _ end: ContainerEnd) async -> Termination {
        var message = await lastWord(name, run, end)
        let reason: String
        if end.keeperLost {
            reason = "ContainerStatusUnknown"
            message = message ?? "The container could not be located when the pod was terminated"
        } else {
            reason = end.outOfMemory ? "OOMKilled" : end.exitStatus == 0 ? "Completed" : "Error"
        }
        return Termination(
            exitCode: end.exitStatus ?? 137, signal: nil, reason: reason, message: message, startedAt: run.startedAt,
            finishedAt: end.endedAt, containerID: PodMachine.containerScheme + run.id)
    }

    private func lastWord(_ name: String, _ run: ContainerRun, _ end: ContainerEnd) async -> String? {
        let file =
            PodVolumes.directory(surroundings.settings, uid) + "/containers/" + PodNaming.hash(name)
            + "/termination-log"
        let bytes = try? await PodVolumes.onDisk { () throws(SystemError) -> [UInt8] in
            // O_NOFOLLOW: the program could write the file, and nothing else here.
            let fd = try Files.open(file, 0o400_000)
            return try Files.readAll(from: fd.raw, limit: Self.fileBytes + 1, name: file)
        }
        if let bytes, !bytes.isEmpty { return String(decoding: bytes.prefix(Self.fileBytes), as: UTF8.self) }
        guard container(name)?["terminationMessagePolicy"]?.string == "FallbackToLogsOnError", end.exitStatus != 0
        else { return nil }
        var text: [UInt8] = []
        let request = ReadLogs(container: run.id, tail: Self.logLines)
        try? await surroundings.engine.readLogs(request) { lines throws(NodeFailure) in
            for line in lines { text += line.content + (line.isComplete ? [UInt8(ascii: "\n")] : []) }
        }
        return text.isEmpty ? nil : String(decoding: text.suffix(Self.logBytes), as: UTF8.self)
    }
}
