internal import Engine
internal import JSON
internal import Keeper
internal import Linux

// What a function's program did wrong, in the words of AWS Lambda.

extension InstanceStartFailure {
    /// What a caller that waited for the instance is answered: the error as JSON, with its request id in the sentence as
    /// the service has it.
    package func body(requestID: String) -> [UInt8] {
        payload ?? Self.body(errorType, "RequestId: \(requestID) Error: \(errorMessage)")
    }

    /// The JSON of an error.
    static func body(_ errorType: String, _ message: String) -> [UInt8] {
        JSONWriter.bytes(["errorType": .string(errorType), "errorMessage": .string(message)])
    }

    /// The program ended when it should not.
    static func exit(_ end: ProgramEnd) -> InstanceStartFailure {
        switch end {
        case .unknown(let reason):
            InstanceStartFailure(errorType: "Sandbox.Failure", errorMessage: "the instance was lost: \(reason)")
        case .ended(let report) where report.outOfMemory:
            InstanceStartFailure(
                errorType: "Runtime.OutOfMemory", errorMessage: "Runtime exited with error: \(report.status.asReason ?? "signal: killed")")
        case .ended(let report):
            InstanceStartFailure(
                errorType: "Runtime.ExitError",
                errorMessage: report.status.asReason.map { "Runtime exited with error: \($0)" }
                    ?? "Runtime exited without providing a reason")
        }
    }

    /// It took too long.
    static func timedOut(after span: Duration) -> InstanceStartFailure {
        InstanceStartFailure(errorType: "Sandbox.Timedout", errorMessage: "Task timed out after \(seconds(span)) seconds")
    }

    /// "3.00"
    static func seconds(_ span: Duration) -> String {
        let hundredths = (span.wholeNanoseconds + 5_000_000) / 10_000_000
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    /// There is no program to start.
    static func invalidEntrypoint(_ problem: String) -> InstanceStartFailure {
        InstanceStartFailure(errorType: "Runtime.InvalidEntrypoint", errorMessage: problem, isPermanent: true)
    }
}

extension ExitStatus {
    /// As Go prints the end of a process, which is what the service shows: "exit status 1", "signal: killed". nil for
    /// an exit with 0.
    var asReason: String? {
        switch self {
        case .exited(0): nil
        case .exited(let status): "exit status \(status)"
        case .signaled(let number, let dumped): "signal: \(Self.words(number))\(dumped ? " (core dumped)" : "")"
        }
    }

    private static func words(_ number: Int32) -> String {
        switch number {
        case 1: "hangup"
        case 2: "interrupt"
        case 3: "quit"
        case 4: "illegal instruction"
        case 5: "trace/breakpoint trap"
        case 6: "aborted"
        case 7: "bus error"
        case 8: "floating point exception"
        case 9: "killed"
        case 10: "user defined signal 1"
        case 11: "segmentation fault"
        case 12: "user defined signal 2"
        case 13: "broken pipe"
        case 14: "alarm clock"
        case 15: "terminated"
        case 31: "bad system call"
        default: "signal \(number)"
        }
    }
}
