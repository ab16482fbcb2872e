import ArgumentParser
import Linux

/// Where the executable `forkless` begins: the only code that ends the process.
public enum ForklessEntry {
    /// Runs the verb that the arguments name and exits with its status.
    ///
    /// It keeps the main thread to itself: an asynchronous `main` would leave it to libdispatch, which parks it in
    /// sigsuspend(2) with no signal blocked, where signals that are data to a verb would end the process.
    public static func main() -> Never {
        // A reader that went away is an error of write(2) and ends with a sentence, not with a silent signal.
        OwnProcess.ignoreBrokenPipes()
        switch Invocation.parse(Array(Swift.CommandLine.arguments.dropFirst())) {
        case .said(let outcome): StandardStreams.exit(outcome)
        case .verb(let verb):
            // Here, while no thread but this one exists: one that does not block them would get them instead.
            do { try type(of: verb).blockSignals() } catch {
                StandardStreams.exit(Outcome(status: ExitCodes.ownFailure, errors: "forkless: \(error)\n"))
            }
            Task.detached { StandardStreams.exit(await run(verb)) }
            OwnProcess.rest()
        }
    }

    /// Runs a verb; every error ends here.
    static func run(_ verb: any Verb) async -> Outcome {
        do {
            var verb = verb
            try await verb.run()
            return Outcome(status: 0)
        } catch let status as ProgramStatus {
            return Outcome(status: status.code)
        } catch let failure as CommandFailure {
            return Outcome(status: failure.status, errors: "forkless: \(failure)\n")
        } catch let error as SystemError where error.code == .brokenPipe {
            // `forkless ps | head` is no failure worth a word.
            return Outcome(status: type(of: verb).failureStatus)
        } catch let error as FlagError {
            return Outcome(status: ExitCodes.ownFailure, errors: "forkless: \(error)\n")
        } catch {
            return Outcome(status: type(of: verb).failureStatus, errors: "forkless: \(error)\n")
        }
    }
}

/// How this process ends.
struct Outcome: Hashable {
    var status: Int32
    var output = ""
    var errors = ""
}

/// The status that a program ended with, on its way to be ours.
struct ProgramStatus: Error {
    var code: Int32
}
