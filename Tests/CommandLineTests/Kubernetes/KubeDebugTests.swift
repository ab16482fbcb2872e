import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// kubectl's ways into what runs: debuggers in pods, copies of pods and on the node, and the API's proxy.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(10))) struct KubeDebugTests {
    @Test func `kubectl debug looks into a container, a copy and the node, and get --raw through the proxy`()
        async throws
    {
        try await KubeStage.run { kubectl in
            try await kubectl(
                "run", "web", "--image=busybox:1", "--port=8080", "--expose", "--command", "--", "httpd", "-f", "-p",
                "8080", "-h",
                "/etc")
            try await kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=30s")

            // A debugger beside the container, with the rights that kubectl gives it.
            // By its input: what a program says before anybody has attached is in its log alone. It says when it is
            // done, as kubectl asks for an input that outlives who is attached.
            let beside = try await kubectl(
                "debug", "web", "-i", "--image=busybox:1", "--target=web", "--profile=general", "--", "sh",
                input: "ps -o args\nexit\n")
            #expect(beside.text.contains("httpd -f -p 8080"), "\(beside.text)\(beside.errorText)")
            #expect(try await kubectl("exec", "web", "--", "ps", "-o", "args").text.contains("httpd"))

            // A copy whose containers share their processes.
            let look = "until ps -o args | grep -q ^httpd; do sleep 0.1; done; ps -o args\nexit\n"
            let copy = try await kubectl(
                "debug", "web", "-i", "--image=busybox:1", "--copy-to=copy", "--profile=general", "--", "sh",
                input: look)
            #expect(
                copy.text.contains("httpd -f -p 8080") && copy.text.contains("/dev/init"),
                "\(copy.text)\(copy.errorText)")

            let node = try await kubectl.get("nodes")["items"]?[0]?["metadata", "name"]?.string ?? ""
            let script = """
                readlink /proc/self/ns/net; readlink /proc/self/ns/ipc; chroot /host readlink /proc/self/ns/pid
                ps -o args | grep -c forkless
                exit

                """
            let onNode = try await kubectl(
                "debug", "node/\(node)", "-i", "--image=busybox:1", "--profile=sysadmin", "--", "sh", input: script)
            let said = onNode.text.split(separator: "\n").map(String.init)
            for kind in ["net", "ipc", "pid"] {
                #expect(said.contains(try Files.link("/proc/self/ns/\(kind)")), "\(said) \(onNode.errorText)")
            }
            #expect(said.last.flatMap { Int($0) } ?? 0 > 1, "\(said)")

            // Through the API, in whose verbs.
            for path in ["pods/web:8080", "pods/web", "services/web", "services/http:web:8080"] {
                let through = try await kubectl("get", "--raw", "/api/v1/namespaces/default/\(path)/proxy/passwd")
                #expect(through.text.contains("root:x:0:0"), "\(path): \(through.text)")
            }
            let missing = try await kubectl.kubectl("get", "--raw", "/api/v1/namespaces/default/pods/web:81/proxy/")
            #expect(missing.errorText.contains("error trying to reach service"), "\(missing.errorText)")
        }
    }
}
