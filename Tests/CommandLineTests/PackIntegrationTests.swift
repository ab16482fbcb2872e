import JSON
import Linux
import Observation
import TestKit
import Testing

@testable import CommandLine

/// `forkless pack` with real programs of this machine, and `forkless plan` of a recording of them.
@Suite(.serialized, .enabled(if: isRoot)) struct PackIntegrationTests {
    private static let quiet = ["FORKLESS_LAMBDA_LISTEN=off", "FORKLESS_HTTP_LISTEN=127.0.0.1:0"]

    private func withNode(_ body: (TestForkless) async throws -> Void) async throws {
        let forkless = try TestForkless()
        try await forkless.withNode(environment: Self.quiet) { try await body(forkless) }
    }

    /// Packs, and expects that the program did the same in its image.
    private func pack(_ forkless: TestForkless, _ arguments: [String]) async throws -> JSONValue {
        let outcome = try await forkless.call(["pack", "--output", "json"] + arguments)
        #expect(outcome.status == .exited(0), "\(outcome.text)\(outcome.errorText)")
        let json = try JSONParser.parse(outcome.text)
        #expect(json["runs"]?.array?.isEmpty == false)
        return json
    }

    @Test func `real programs do in their images what they do here`() async throws {
        try await withNode { forkless in
            let place = try TemporaryDirectory("packing")
            let input = try place.write("{\"a\": [1, 2]}\n", to: "in put.json")
            let journal = try place.write("2026/01/01 Opening\n  Assets:Bank  EUR 10\n  Equity\n", to: "book.ledger")
            let python = try place.write(
                "#!/usr/bin/python3\nimport decimal, json, sqlite3, ssl, sys\nprint(decimal.Decimal(len(sys.stdin.read())) / 7)\n",
                to: "score.py", mode: 0o755)
            let shell = try place.write(
                "#!/bin/sh\nsort | tr a-z A-Z | awk '{ n++ } END { print n }'; date -u -d @0 +%F; exit 3\n",
                to: "a job\nof.sh", mode: 0o755)

            let jq = try await pack(forkless, ["--input", input, "-t", "jq:packed", "jq", "--", "-c", ".a"])
            #expect(jq["files"]?.array == [])
            #expect(jq["packages"]?.array?.contains { $0["name"] == "libjq1" } == true)
            let ledger = try await pack(forkless, ["ledger", "--", "-f", journal, "balance"])
            #expect(ledger["runs"]?[0]?["status"] == "exited with status 0")
            _ = try await pack(forkless, ["--input", input, python])
            let job = try await pack(forkless, ["--input", input, shell])
            #expect(job["runs"]?[0]?["status"] == "exited with status 3")
            #expect(job["remarks"]?.array?.isEmpty == false)
            let again = try await pack(forkless, ["--input", input, "-t", "jq:packed", "jq", "--", "-c", ".a"])
            #expect(again["image"] == jq["image"])

            let run = try await forkless("run", "--rm", "-i", "jq:packed", input: "{\"a\": 7}")
            #expect(run.text == "7\n", "\(run.errorText)")
        }
    }

    @Test func `what goes with an image is built, deployed and run`() async throws {
        try await withNode { forkless in
            let place = try TemporaryDirectory("packing")
            let program = place.path("tool")
            try await Self.buildStatic(program)
            let packed = try await forkless("pack", "-o", place.path("out"), "-t", "tool:1", program)
            #expect(packed.status == .exited(0), "\(packed.text)\(packed.errorText)")
            let built = try await forkless("build", "-t", "tool:built", place.path("out"))
            #expect(built.status == .exited(0), "\(built.errorText)")
            let run = try await forkless("run", "--rm", "-i", "tool:built", input: "12345")
            #expect(run.text == "read 5\n", "\(run.errorText)")

            let deployed = try await forkless("fn", "deploy", "--template", place.path("out/template.yaml"))
            #expect(deployed.status == .exited(0), "\(deployed.errorText)")
            let answer = try await forkless("fn", "invoke", "tool", "--payload", "\"1234567\"")
            #expect(answer.text == "read 9\n", "\(answer.errorText)")
            _ = try await forkless("fn", "rm", "tool")

            let loaded = try await forkless("load", "-i", place.path("out/image.tar"))
            #expect(loaded.text.contains("tool:1"), "\(loaded.errorText)")
        }
    }

    @Test func `what a traced run has read comes along`() async throws {
        try await withNode { forkless in
            let place = try TemporaryDirectory("packing")
            // What lies among temporary files is left out, so this does not.
            let home = "/var/lib/forkless-packing-\(UInt32.random(in: .min ... .max))"
            defer { try? Files.removeTree(home) }
            try Files.makeDirectories(home + "/tables")
            // Read by a path that no look at the program would find.
            let table = home + "/tables/rates.txt"
            try Files.replace(table, with: Array("rate 1.07\n".utf8), mode: 0o644)
            let left = try place.write("seen\n", to: "left-out")
            let script = home + "/convert"
            let text =
                "#!/bin/sh\n[ -r \(left) ] && read -r seen <\(left)\nread n\nwhile read -r word rate; do echo \"$n $rate\" | awk '{ printf \"%.2f\\n\", $1 * $2 }'; done <\"${0%/*}/tables/rates.txt\"\n"
            try Files.replace(script, with: Array(text.utf8), mode: 0o755)
            let input = try place.write("100\n", to: "input")
            let recording = place.path("convert.rec")
            let traced = try await forkless(
                "observe", "--deep", "--quiet", "-o", recording, "--", "sh", "-c", "\(script) <\(input)")
            #expect(traced.text == "107.00\n", "\(traced.errorText)")
            let packed = try await pack(
                forkless, ["--recording", recording, "--input", input, "-t", "convert:1", script])
            #expect(packed["files"]?.array?.contains { $0.string == table } == true, "\(packed)")
            let remarks = packed["remarks"]?.array?.compactMap(\.string) ?? []
            #expect(remarks.contains { $0.contains("--include \(left)") }, "\(remarks)")
            let run = try await forkless("run", "--rm", "-i", "convert:1", input: "200\n")
            #expect(run.text == "214.00\n", "\(run.errorText)")
        }
    }

    @Test func `a difference is shown, and the status is 1`() async throws {
        try await withNode { forkless in
            let place = try TemporaryDirectory("packing")
            let secret = try place.write("here only\n", to: "secret")
            let script = try place.write(
                "#!/bin/sh\ncat \(secret) 2>/dev/null || echo nothing\n", to: "job", mode: 0o755)
            let outcome = try await forkless("pack", script)
            #expect(outcome.status == .exited(1))
            #expect(
                outcome.text.contains("line 1 is \"here only\" here and \"nothing\" in the image"),
                "\(outcome.text)\(outcome.errorText)")
            let whole = try await forkless("pack", "--include", secret, script)
            #expect(whole.status == .exited(0), "\(whole.text)\(whole.errorText)")
        }
    }

    @Test func `what cannot be packed is refused before anything is made`() async throws {
        let forkless = try TestForkless()
        let place = try TemporaryDirectory("packing")
        let cut = try place.write("{\"forkless-recording\":1", to: "cut.rec")
        let full = try place.write("x", to: "full/x")
        for (arguments, says) in [
            (["none-such"], "no directory of PATH has such a program"),
            (["-o", place.path("o"), "/usr/bin/passwd"], "setuid"),
            (["-o", place.path("o"), "/none/such"], "there is no such program on this machine"),
            (["--recording", cut, "jq"], "the file ends within its first line"), (["--recording", place.path("none"), "jq"], "No such file"),
            (["-o", String(full.dropLast(2)), "jq"], "there is something already"),
            (["--input", "/none", "jq"], "there is no such file"),
            (["-t", "A:b:c", "jq"], "A:b:c"), (["jq"], "forkless node"),
        ] {
            let outcome = try await forkless.call(["pack", "--no-proof"] + arguments)
            #expect(!outcome.status.isSuccess)
            #expect(outcome.errorText.contains(says), "\(outcome.errorText)")
        }
        #expect(!Files.exists(place.path("o")))
    }

    @Test func `a recording is planned as a table, as JSON and as a page`() async throws {
        let forkless = try TestForkless()
        let place = try TemporaryDirectory("planning")
        let recorded = try await forkless.call([
            "observe", "-o", place.path("r.rec"), "--quiet", "--", "sh", "-c",
            "for i in 1 2 3 4; do echo b | sort >/dev/null; done",
        ])
        #expect(recorded.status.isSuccess, "\(recorded.errorText)")
        let plan = ["plan", "--calibration", place.path("c.json"), place.path("r.rec")]
        let refused = try await forkless.call(plan)
        #expect(refused.status == .exited(1))
        #expect(refused.errorText.contains("Measure it with --calibrate"), "\(refused.errorText)")

        let measured = try await forkless.call(plan + ["--calibrate", "--html", place.path("p.html"), "--json"])
        #expect(measured.status.isSuccess, "\(measured.errorText)")
        let json = try JSONParser.parse(measured.text)
        #expect(json["calibration"]?["container"]?["nanoseconds"]?.integer ?? 0 > 0, "\(json["calibration"] ?? .null)")
        #expect(json["calibration"]?["standby"]?["nanoseconds"]?.integer ?? 0 > 0, "\(json["calibration"] ?? .null)")
        #expect(json["calibration"]?["runtime"]?["nanoseconds"]?.integer ?? 0 > 0, "\(json["calibration"] ?? .null)")
        let sort = try #require(json["programs"]?.array?.first { $0["program"]?.string?.hasSuffix("/sort") == true })
        #expect(sort["calls"] == 4)
        #expect(sort["now"]?["latency"]?["nanoseconds"]?.double ?? 0 > 0)
        #expect(try Files.readText(place.path("p.html")).hasSuffix("</html>"))

        let table = try await forkless.call(plan)
        #expect(table.text.contains("RECOMMENDED") && table.text.contains("/sort"), "\(table.errorText)")
        let one = try await forkless.call(plan + ["--program", "sort"])
        #expect(one.text.contains("fork and exec of a program that does nothing"), "\(one.errorText)")
        let none = try await forkless.call(plan + ["--program", "none"])
        #expect(none.errorText.contains("it is not in the recording"))
    }

    /// A static program that counts its input, so that it needs nothing at all.
    private static func buildStatic(_ path: String) async throws {
        let source = """
            #include <stdio.h>
            int main(void) { int n = 0; while (getchar() != EOF) n++; printf("read %d\\n", n); return 0; }
            """
        let built = try await CommandRunner.run(
            ["cc", "-O1", "-static", "-x", "c", "-", "-o", path], input: Array(source.utf8))
        #expect(built.status.isSuccess, "\(built.errorText)")
    }

    @Test func `nothing is left behind`() async throws {
        var scope = Census.Scope(only: [.file])
        scope.places = [
            .init(directory: "/tmp", prefix: "forkless-pack-"), .init(directory: "/tmp", prefix: "forkless-compare-"),
        ]
        let before = await Census.take(scope)
        let forkless = try TestForkless()
        let place = try TemporaryDirectory("packing")
        let outcome = try await forkless("pack", "-o", place.path("out"), "/usr/bin/true")
        #expect(outcome.status == .exited(0), "\(outcome.text)\(outcome.errorText)")
        #expect(await Census.settled(since: before) == [])
    }
}
