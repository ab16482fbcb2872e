import Comparison
import Engine
import Linux
import Planning
import Synchronization

/// Measures this machine with a node of its own, so that nobody's work is in the figures and nothing is left behind.
struct CalibrationSession {
    let signals: EndingSignals

    func measure() async throws -> Calibration {
        let progress = ProgressLine()
        defer { progress.end() }
        let run = CalibrationRun { progress.show("calibrating: \($0)") }
        guard OwnProcess.effectiveUser == 0 else {
            return try await run.measure(
                .none("only root may start the node that containers and functions are measured with"), now: Clock.now())
        }
        let node = try await NodeForComparison.own(for: "the calibration")
        signals.clear { await node.close() }
        do {
            let figures = try await Self.figures(node)
            let calibration = try await run.measure(.figures(figures), now: Clock.now())
            await node.close()
            return calibration
        } catch {
            await node.close()
            try await signals.rethrow(error)
        }
    }

    /// `true` in a container, `cat` as a standby, and a function that does nothing but answer.
    private static func figures(_ node: NodeForComparison) async throws -> CalibrationRun.NodeFigures {
        let own = try OwnProcess.executable()
        let client = try node.client()
        func spec(_ program: String) -> ContainerSpec {
            var spec = ContainerSpec(program: program, arguments: [])
            spec.environment = ["PATH=/usr/local/bin:/usr/bin:/bin"]
            spec.removesOnExit = true
            spec.isInteractive = true
            spec.memoryBytes = CompareCommand.memoryBytes
            spec.pidsLimit = CompareCommand.pidsLimit
            return spec
        }
        let directories = try node.directories(NodeFlags())
        let bootstrap = try Bootstrap()
        let container = ContainerRung(client, spec("/bin/true"), ownExecutable: own)
        let standby = StandbyRung(client, spec("/bin/cat"), copies: 8, ownExecutable: own)
        let runtime = LambdaRung(directories, bootstrap: bootstrap.path, copies: 1, ownExecutable: own)
        return CalibrationRun.NodeFigures(container: container, standby: standby, runtime: runtime) {
            () throws(ComparisonError) in
            let fresh = LambdaRung(directories, bootstrap: bootstrap.path, copies: 1, ownExecutable: own)
            do throws(ComparisonError) {
                let sample = try await fresh.firstCall([])
                await fresh.close()
                return sample
            } catch {
                await fresh.close()
                throw error
            }
        }
    }

    /// The smallest program that speaks the Runtime API without anything installed beside Python.
    private final class Bootstrap: Sendable {
        let path: String

        init() throws(SystemError) {
            path = "/tmp/forkless-bootstrap-\(OwnProcess.pid)-" + String(UInt64.random(in: .min ... .max), radix: 36)
            try Files.makeDirectory(path, mode: 0o755)
            try Files.replace(path + "/bootstrap", with: Array(Self.program.utf8), mode: 0o755)
        }

        deinit { try? Files.removeTree(path) }

        private static let program = """
            #!/usr/bin/env python3
            import http.client, os
            api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
            while True:
                api.request("GET", "/2018-06-01/runtime/invocation/next")
                event = api.getresponse()
                body = event.read()
                call = event.headers["Lambda-Runtime-Aws-Request-Id"]
                api.request("POST", f"/2018-06-01/runtime/invocation/{call}/response", body or b"{}")
                api.getresponse().read()

            """
    }
}
