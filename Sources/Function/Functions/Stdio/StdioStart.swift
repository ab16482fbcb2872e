internal import Engine
internal import HTTPServing
internal import Keeper
internal import Lambda
internal import Linux
internal import Spawn

/// Starts one copy of a program with pipes of the node's making as its standard streams.
struct StdioStart {
    let sandboxes: FunctionSandboxes
    let logs: LogThread

    func start(
        _ bound: LoopBound<StdioInstance>, _ name: String, _ recipe: InstanceRecipe, environment: StringBlock,
        _ function: DeployedFunction
    ) async throws(InstanceStartFailure) {
        let loop = bound.loop
        var call = recipe.call
        call.environment = call.environment + environment
        let pipes: [(reader: SharedFD, writer: SharedFD)]
        do {
            pipes = [try Files.pipe().ends(), try Files.pipe().ends(), try Files.pipe().ends()]
            for end in [pipes[0].writer, pipes[1].reader, pipes[2].reader] { try Files.setNonBlocking(end.raw) }
        } catch { throw InstanceStartFailure(errorType: "Sandbox.Failure", errorMessage: "make the streams of \(name): \(error)") }
        let errors = InstanceOutput(pipes[2].reader, log: logs.log(of: function.name), stream: .error)
        let started: StartedSandbox
        do {
            started = try await sandboxes.start(
                SandboxStart(plan: recipe.plan, name: name, call: call, streams: .passed),
                descriptors: [pipes[0].reader.raw, pipes[1].writer.raw, pipes[2].writer.raw]
            ) { end in loop.execute { bound.value.ended(end) } }
            withExtendedLifetime(pipes) {}
        } catch { throw InstanceStartFailure(error, executing: call.path) }
        do { try logs.add(errors) } catch {
            await sandboxes.kill(name)
            throw InstanceStartFailure(errorType: "Sandbox.Failure", errorMessage: "read what \(name) prints: \(error)")
        }
        let (input, output, pid) = (pipes[0].writer, pipes[1].reader, started.report.pid)
        let streams = InstanceStreams(input: input, output: output, errors: pipes[2].reader)
        loop.execute { bound.value.started(pid: pid, streams, errors) }
    }
}
