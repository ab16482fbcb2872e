import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// Clients that do not read, and clients that vanish, at a real node.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(10))) struct KubeClientFaultTests {
    @Test func `watches that nobody reads are ended, and others hear everything`() async throws {
        try await KubeStage.run { kubectl in
            let node = try kubectl.node()
            let (files, memory) = (try descriptors(node), try KubeHostileTests.residentBytes(node))
            let said = try JSONParser.parse(
                Array(try await kubectl.raw(Self.stalling, "\(node)", within: .seconds(240)).utf8))
            #expect(said["heard"]?.integer == 900)
            #expect(said["isInOrder"] == true)
            // What 200 clients could have read is 200 times 40 MB. Of that, 16 MiB of events are held, which they share, and of
            // each what its connection takes ahead, half a megabyte; the rest is what the writes need.
            let peak = Int(said["peak"]?.integer ?? .max)
            #expect(peak < memory + 400 << 20, "\(peak >> 20) MiB, \(memory >> 20) before")
            // Those who read later find their watch ended, and never a gap before.
            #expect(said["gaps"]?.integer == 0)
            #expect(said["ended"]?.integer == 3, "\(JSONWriter.text(said))")
            try await eventually(within: .seconds(30), "descriptors are given back") {
                try descriptors(node) <= files + 4
            }
        }
    }

    /// 200 watches whose clients do not read, one that does, and 900 writes of 45 KB: more than waits for a watch and what
    /// the kernel takes for it (up to 4 MB) together.
    private static let stalling = #"""
        writes, watchers = 900, 200
        _, value, _ = call("GET", maps)
        start = value["metadata"]["resourceVersion"]
        path = maps + "?watch=1&resourceVersion=" + start

        def open_watch():
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.connect((server.hostname, server.port))
            secure = context.wrap_socket(raw, server_hostname=server.hostname)
            secure.sendall(("GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path).encode())
            return secure

        stalled = [open_watch() for _ in range(watchers)]
        heard, peak, stop = [], [0], threading.Event()
        reading = connect()
        reading.request("GET", path)
        stream = reading.getresponse()

        def read():
            while len(heard) < writes:
                heard.append(int(json.loads(stream.readline())["object"]["metadata"]["resourceVersion"]))

        def measure():
            while not stop.wait(0.2):
                peak[0] = max(peak[0], resident())

        def resident():
            for line in open("/proc/%s/status" % sys.argv[1]):
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) << 10

        threads = [threading.Thread(target=read), threading.Thread(target=measure)]
        for thread in threads:
            thread.start()

        def write(part):
            own = connect()
            for number in range(part, writes, 4):
                status, value, _ = call("POST", maps, config_map("m%d" % number, data={"a": "x" * 45000}), connection=own)
                assert status == 201, value

        writing = [threading.Thread(target=write, args=(part,)) for part in range(4)]
        for thread in writing:
            thread.start()
        for thread in writing:
            thread.join()
        threads[0].join(120)
        stop.set()
        threads[1].join()

        # Now three of them read what there is: events without a gap, then an error and the end.
        gaps = ended = 0
        for secure in stalled[:3]:
            secure.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            secure.settimeout(30)
            data = b""
            try:
                while not data.endswith(b"\r\n0\r\n\r\n") and (part := secure.recv(65536)):
                    data += part
                # The last chunk, after which the connection goes on: a node that breaks down ends none.
                ended += data.endswith(b"\r\n0\r\n\r\n")
            except TimeoutError:
                pass
            names = []
            body = data.split(b"\r\n\r\n", 1)[-1]
            # Chunks: a length in hexadecimal, the line, the end.
            lines, at = b"", 0
            while (end := body.find(b"\r\n", at)) > 0:
                size = int(body[at:end], 16)
                lines += body[end + 2:end + 2 + size]
                at = end + 2 + size + 2
                if size == 0:
                    break
            for line in lines.split(b"\n")[:-1]:
                event = json.loads(line)
                if event["type"] != "ERROR":
                    names.append(int(event["object"]["metadata"]["resourceVersion"]))
            if names != heard[:len(names)]:
                gaps += 1
        for secure in stalled:
            secure.close()
        print(json.dumps({"heard": len(heard), "isInOrder": heard == sorted(heard), "peak": peak[0], "gaps": gaps,
                          "ended": ended}))
        """#

    @Test func `clients that vanish take what they began with them`() async throws {
        try await KubeStage.run { kubectl in
            let node = try kubectl.node()
            try await kubectl(
                "run", "web", "--image=busybox:1", "--command", "--", "sh", "-c",
                "while :; do echo line; sleep 0.1; done")
            try await kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=30s")
            // What the node opens once stays: each kind of request is made to its end before it is counted.
            _ = try await kubectl("exec", "web", "--", "true")
            _ = try await kubectl("logs", "web", "--tail=1")
            try await eventually { try descriptors(node) > 0 }
            let before = try await settled(node)
            _ = try await kubectl.raw(Self.vanishing)
            for verb in [
                ["exec", "-i", "web", "--", "cat"], ["attach", "web"], ["logs", "-f", "web"],
                ["port-forward", "web", ":80"], ["get", "pods", "-w"],
            ] {
                try await kubectl.killed(verb, after: .milliseconds(700))
            }
            do {
                try await eventually(within: .seconds(60), "descriptors are given back") {
                    try descriptors(node) <= before + 2
                }
            } catch { Issue.record("\(error): \(before) before, now \(try kinds(node))") }
            // A program that reads its client's input ends with it. As with Kubernetes, one that does not is left to itself.
            try await eventually(within: .seconds(30), "nobody reads any more") {
                try await kubectl("exec", "web", "--", "sh", "-c", "ps | grep -c [c]at || true").text == "0\n"
            }
            try await kubectl("exec", "web", "--", "true")
            #expect(try await kubectl("get", "pod", "web").text.contains("Running"))
        }
    }

    /// In the middle of a head, of a body, of an upgrade, and of a watch.
    private static let vanishing = #"""
        body = json.dumps(config_map("half", data={"a": "x" * 100000})).encode()
        head = "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (maps, len(body))
        upgrade = ("GET %s/web/exec?command=cat&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                   "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n" % pods)
        watch = "GET %s?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n" % maps
        log = "GET %s/web/log?follow=true HTTP/1.1\r\nHost: x\r\n\r\n" % pods
        for number in range(40):
            for text in (head.encode()[:40], head.encode() + body[:50000], upgrade.encode(), watch.encode(), log.encode()):
                raw = socket.create_connection((server.hostname, server.port))
                if number % 2:
                    # A reset, not an end.
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                secure = context.wrap_socket(raw, server_hostname=server.hostname)
                secure.sendall(text)
                if text in (watch.encode(), log.encode(), upgrade.encode()):
                    assert secure.recv(10)
                os.close(secure.detach())
        status, value, _ = call("GET", maps + "/half")
        assert status == 404, value
        """#

    private func descriptors(_ pid: Int32) throws -> Int { try Files.list("/proc/\(pid)/fd").count }

    /// How many descriptors there are of each kind.
    private func kinds(_ pid: Int32) throws -> [String: Int] {
        var kinds: [String: Int] = [:]
        for name in try Files.list("/proc/\(pid)/fd") {
            guard let target = try? Files.link("/proc/\(pid)/fd/\(name)") else { continue }
            kinds[String(target.prefix { $0 != "[" }), default: 0] += 1
        }
        return kinds
    }

    /// The number of descriptors when it has been the same for a while.
    private func settled(_ pid: Int32) async throws -> Int {
        var counts: [Int] = []
        try await eventually(within: .seconds(30), "the node is at rest") {
            counts.append(try descriptors(pid))
            try await Task.sleep(for: .milliseconds(100))
            return counts.suffix(5).count == 5 && Set(counts.suffix(5)).count == 1
        }
        return counts.last ?? 0
    }
}
