internal import JSON
internal import KubeObjects

/// How an exec or attach ended, as the error stream tells it.
enum StreamOutcome: Hashable, Sendable {
    /// A program's exit status; an attach ends with 0.
    case exit(Int32)
    case failure(APIFailure)

    /// metav1.Status, since v4 of the protocol.
    var status: [UInt8] {
        switch self {
        case .exit(0): return JSONWriter.bytes(["metadata": [:], "status": "Success"])
        case .exit(let code):
            return JSONWriter.bytes([
                "metadata": [:], "status": "Failure",
                "message": "command terminated with non-zero exit code: exit status \(code)",
                "reason": "NonZeroExitCode",
                "details": ["causes": [["reason": "ExitCode", "message": .string(String(code))]]],
            ])
        case .failure(let failure):
            var status = failure.status
            status["kind"] = nil
            status["apiVersion"] = nil
            return JSONWriter.bytes(status)
        }
    }

    /// What older protocols say: nothing of a success.
    var message: [UInt8] {
        switch self {
        case .exit(0): []
        case .exit(let code): Array("command terminated with non-zero exit code: exit status \(code)".utf8)
        case .failure(let failure): Array(failure.message.utf8)
        }
    }
}
