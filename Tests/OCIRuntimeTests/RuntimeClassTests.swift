import Linux
import OCI
import TestKit
import Testing

/// A Kubernetes node's way: the kubelet asks containerd over the CRI for a pod whose RuntimeClass has the handler
/// "forkless". The kubelet's part is played by a program that speaks the CRI through curl.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RuntimeClassTests {
    @Test func `containerd starts the pods of a RuntimeClass through the runtime`() async throws {
        let stage = try RuntimeStage()
        let place = stage.directory
        let socket = place.path("containerd.sock")
        try TestImage.archive(at: place.path("image.tar"), as: "forkless.test/busybox:1") {
            $0.cmd = ["sleep", "1000000"]
        }
        try place.write(configuration(stage, socket), to: "containerd.toml")
        try place.write(Self.kubelet, to: "kubelet.py")
        try Files.makeDirectories(place.path("logs"))
        let arguments = [
            "unshare", "--mount", "--propagation", "private", "containerd", "--config", place.path("containerd.toml"),
        ]
        try await BackgroundServer.running(arguments, log: place.path("containerd.log")) { server in
            _ = try await server.until("containerd's socket") {
                $0.contains("containerd successfully booted") ? true : nil
            }
            let load = try await CommandRunner.run([
                "ctr", "--address", socket, "--namespace", "k8s.io", "images", "import", "--snapshotter", "native",
                place.path("image.tar"),
            ])
            #expect(load.status.isSuccess, "\(load.errorText)")
            let outcome = try await CommandRunner.run(
                ["python3", place.path("kubelet.py"), socket, place.path("logs"), "/" + stage.name],
                within: .seconds(120))
            // What exec said and its status; that the container runs (1), below the cgroup of its pod; its log.
            #expect(
                outcome.text == "42 3\nstate 1\ncgroup True\nstdout F logged\ngone\n",
                "\(outcome.text)\(outcome.errorText)\(((try? server.said()) ?? "").suffix(2000))")
        }
        for root in try Mountinfo.parse(try Files.read("/proc/self/mountinfo", limit: 1 << 20))
        where ["cgroup", "cgroup2"].contains(root.fileSystem) {
            try? Files.removeDirectory("\(root.mountPoint)/\(stage.name)")
        }
    }

    private func configuration(_ stage: RuntimeStage, _ socket: String) -> String {
        let place = stage.directory
        return """
            version = 2
            root = "\(place.path("containerd/root"))"
            state = "\(place.path("containerd/state"))"
            disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
            [grpc]
            address = "\(socket)"
            [plugins."io.containerd.grpc.v1.cri"]
            sandbox_image = "forkless.test/busybox:1"
            restrict_oom_score_adj = true
            disable_apparmor = true
            disable_tcp_service = true
            stream_server_port = "0"
            [plugins."io.containerd.grpc.v1.cri".containerd]
            snapshotter = "native"
            default_runtime_name = "forkless"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.forkless]
            runtime_type = "io.containerd.runc.v2"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.forkless.options]
            BinaryName = "\(stage.executable)"
            """
    }

    /// gRPC is HTTP/2 with a length before each message; the messages are protobuf (cri-api, runtime/v1/api.proto).
    private static let kubelet = #"""
        import struct, subprocess, sys, time
        socket, logs, parent = sys.argv[1:4]

        def varint(number):
            out = b""
            while number > 127:
                out += bytes([number & 127 | 128])
                number >>= 7
            return out + bytes([number])

        def field(number, value):
            if isinstance(value, int): return varint(number << 3) + varint(value)
            if isinstance(value, str): value = value.encode()
            return varint(number << 3 | 2) + varint(len(value)) + value

        def parse(data):
            fields, at = {}, 0
            def number():
                nonlocal at
                value = shift = 0
                while True:
                    byte = data[at]; at += 1
                    value |= (byte & 127) << shift; shift += 7
                    if byte < 128: return value
            while at < len(data):
                key = number()
                value = number()
                if key & 7 == 2: value, at = data[at:at + value], at + value
                fields.setdefault(key >> 3, []).append(value)
            return fields

        def call(method, message):
            words = ["curl", "-sS", "--http2-prior-knowledge", "--unix-socket", socket, "-X", "POST", "-D", "/dev/stderr",
                     "-H", "content-type: application/grpc", "-H", "te: trailers", "--data-binary", "@-",
                     "http://localhost/runtime.v1.RuntimeService/" + method]
            body = b"\0" + struct.pack(">I", len(message)) + message
            # containerd has booted a moment before its CRI service is initialized; until then that refuses everything.
            for _ in range(200):
                said = subprocess.run(words, input=body, capture_output=True)
                head = said.stderr.decode()
                if "not initialized" not in head: break
                time.sleep(0.1)
            if "grpc-status: 0" not in head: sys.exit(method + ": " + head)
            return parse(said.stdout[5:])

        # The machine's network: no plugin for networks is needed then.
        machine = field(1, field(1, 2))
        pod = field(1, field(1, "pod") + field(2, "uid") + field(3, "default")) + field(3, logs)
        pod += field(8, field(1, parent) + field(2, machine))
        sandbox = call("RunPodSandbox", field(1, pod) + field(2, "forkless"))[1][0]
        words = ["sh", "-c", "echo logged; sleep 1000"]
        one = field(1, field(1, "one")) + field(2, field(1, "forkless.test/busybox:1"))
        one += b"".join(field(3, word) for word in words) + field(11, "one.log") + field(15, field(2, field(3, field(1, 2))))
        container = call("CreateContainer", field(1, sandbox) + field(2, one) + field(3, pod))[1][0]
        call("StartContainer", field(1, container))
        said = call("ExecSync", field(1, container) + b"".join(field(2, w) for w in ["sh", "-c", "echo $((6*7)); exit 3"]) + field(3, 20))
        print(said[1][0].decode().strip(), said[3][0])
        print("state", parse(call("ContainerStatus", field(1, container))[1][0])[3][0])
        said = call("ExecSync", field(1, container) + b"".join(field(2, w) for w in ["cat", "/proc/self/cgroup"]) + field(3, 20))
        print("cgroup", (parent + "/" + container.decode() + "\n").encode() in said[1][0] or b":/\n" in said[1][0])
        # containerd writes the log in its own time.
        while not (log := open(logs + "/one.log").read()).endswith("\n"): time.sleep(0.05)
        print(log.split(" ", 1)[1].strip())
        call("StopContainer", field(1, container) + field(2, 0))
        call("RemoveContainer", field(1, container))
        call("StopPodSandbox", field(1, sandbox))
        call("RemovePodSandbox", field(1, sandbox))
        print("gone")
        """#
}
