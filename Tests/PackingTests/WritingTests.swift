import Linux
import TestKit
import Testing

@testable import Observation
@testable import Packing

@Suite struct WritingTests {
    private func program(_ path: String = "/opt/bank/pricer", _ change: (inout PackedProgram) -> Void = { _ in })
        -> PackedProgram
    {
        var program = PackedProgram(program: path, image: "pricer:latest")
        change(&program)
        return program
    }

    private func origin(_ kind: ProgramOrigin.Kind, _ schedule: String) -> ProgramOrigin {
        ProgramOrigin(kind: kind, file: "/etc/x", name: "x", schedule: schedule, command: "x")
    }

    @Test func `a program without packages begins from nothing`() {
        let text = DockerfileText(
            program {
                $0.exactFiles = ["/opt/bank/pricer"]
                $0.arguments = ["-a", "b c"]
            }, release: "bookworm"
        ).text
        #expect(
            text == """
                # /opt/bank/pricer, as `forkless pack` found it. docker build -t pricer:latest .
                FROM scratch
                COPY files/ /
                ENV PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
                WORKDIR /
                ENTRYPOINT ["/opt/bank/pricer"]
                CMD ["-a", "b c"]

                """)
    }

    @Test func `packages come from the distribution in the versions that are here`() {
        let text = DockerfileText(
            program("/usr/bin/jq") { $0.packages = [.init(name: "jq", version: "1.6-2.1", architecture: "amd64")] },
            release: "bookworm"
        ).text
        #expect(text.contains("FROM debian:bookworm-slim\n"))
        #expect(text.contains("        jq=1.6-2.1 \\\n"))
        #expect(!text.contains("COPY"))
    }

    @Test func `a name with a newline stays on its line`() {
        let name = "/opt/a\nRUN rm -rf /\n\"b"
        for text in [
            DockerfileText(program(name), release: nil).text, KubernetesText(program(name)).text,
            FunctionText(program(name)).text,
        ] {
            #expect(!text.split(separator: "\n").contains { $0.hasPrefix("RUN") || $0.hasPrefix("\"b") })
        }
        #expect(program(name).plainName == "b")
        #expect(program("/x/--").plainName == "program")
    }

    @Test func `the manifest fits where the program comes from`() {
        #expect(KubernetesText(program()).kind == .job)
        let cron = KubernetesText(program { $0.origins = [origin(.cron, "*/5 * * * *")] })
        #expect(cron.kind == .cronJob && cron.text.contains("schedule: \"*/5 * * * *\"\n"))
        #expect(
            KubernetesText(program { $0.origins = [origin(.systemdTimer, "OnCalendar=daily")] }).schedule == "@daily")
        #expect(KubernetesText(program { $0.origins = [origin(.systemdTimer, "OnCalendar=Mon 03:00")] }).kind == .job)
        let server = KubernetesText(program { $0.ports = [8080] })
        #expect(server.kind == .deployment && server.text.contains("- containerPort: 8080\n"))
    }

    @Test func `every manifest and template is YAML with what was recorded`() async throws {
        let full = program("/opt/bank/pri$cer \"x\"") {
            $0.arguments = ["-v", "two words", "it's", "a\nb"]
            $0.uid = 33
            $0.peakMemoryBytes = 10 << 20
            $0.longestNanoseconds = 2_000_000_000
            $0.state = ["/var/lib/bank/book"]
            $0.exactFiles = ["/opt/bank/pri$cer \"x\""]
            $0.origins = [origin(.cron, "@daily")]
        }
        let directory = try TemporaryDirectory("writing")
        for (name, text) in [("k.yaml", KubernetesText(full).text), ("t.yaml", FunctionText(full).text)] {
            let path = try directory.write(text, to: name)
            let read = try await CommandRunner.run([
                "/usr/bin/python3", "-c", "import sys, yaml; print(yaml.safe_load(open(sys.argv[1])))", path,
            ])
            #expect(read.status.isSuccess && read.text.contains("two words"), "\(read.errorText)")
        }
        let text = KubernetesText(full).text
        #expect(text.contains("runAsUser: 33\n") && text.contains("requests: {memory: 10Mi}"))
        #expect(text.contains("mountPath: \"/var/lib/bank\"}"))
        #expect(FunctionText(full).text.contains("Timeout: 20\n"))
        #expect(FunctionText(full).carriesProgram)
    }
}
