import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// kill -9 of node and keeper while sixteen clients write and pods are made: what was answered is there, and no pod runs twice.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(10))) struct KubeCrashTests {
    @Test func `nothing that was answered is lost and no pod runs twice when the node is killed again and again`()
        async throws
    {
        try await KubeStage.run { kubectl in
            let place = try Self.program(kubectl)
            var chance = SeededChance(seed: 20_261_129)
            async let written = kubectl.raw(Self.load, kubectl.forkless.path("stop"), within: .seconds(240))
            try await kubectl.apply(Self.workloads(place))
            for _ in 0..<4 {
                try await Task.sleep(for: .milliseconds(Int.random(in: 300...2500, using: &chance)))
                try await kubectl.killNode()
                try await kubectl.startNode()
            }
            try await kubectl("wait", "job/work", "--for=condition=Complete", "--timeout=90s", within: .seconds(100))
            try await kubectl("rollout", "status", "deployment/web", "--timeout=60s", within: .seconds(70))
            try Files.replace(kubectl.forkless.path("stop"), with: [], mode: 0o644)
            let said = try JSONParser.parse(Array(try await written.utf8))
            #expect(said["problems"] == [], "\(chance)")
            #expect(
                (said["answered"]?.integer ?? 0) > 100 && (said["broken"]?.integer ?? 0) > 0, "\(JSONWriter.text(said))"
            )
            #expect((said["events"]?.integer ?? 0) > 100)
            // A pod without a probe is ready before its program has written anything.
            try await eventually(within: .seconds(60), "all starts are told") {
                ((try? Files.readText(place + "/starts")) ?? "").split(separator: "\n").count { $0.hasPrefix("web-") } >= 3
            }
            // Each container was started once, whatever happened to the node.
            #expect(!Files.exists(place + "/twice"))
            let starts = try Files.readText(place + "/starts").split(separator: "\n")
            #expect(Set(starts).count == starts.count, "\(starts)")
            #expect(starts.filter { $0.hasPrefix("work-") }.count == 6)
            #expect(starts.filter { $0.hasPrefix("web-") }.count == 3)
            #expect(try await Self.restarts(kubectl) == [0, 0, 0])
        }
    }

    @Test func `a keeper that is killed under load takes its programs along, and none runs twice afterwards`()
        async throws
    {
        try await KubeStage.run { kubectl in
            let place = try Self.program(kubectl)
            var chance = SeededChance(seed: 7)
            async let written = kubectl.raw(Self.load, kubectl.forkless.path("stop"), within: .seconds(240))
            try await kubectl.apply(Self.workloads(place))
            for _ in 0..<2 {
                try await Task.sleep(for: .milliseconds(Int.random(in: 500...2500, using: &chance)))
                try await kubectl.killKeeper()
            }
            try await eventually(within: .seconds(90), "three pods run, \(chance)") {
                try await kubectl("get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}").text == "3"
            }
            try await kubectl("wait", "job/work", "--for=condition=Complete", "--timeout=90s", within: .seconds(100))
            try Files.replace(kubectl.forkless.path("stop"), with: [], mode: 0o644)
            let said = try JSONParser.parse(Array(try await written.utf8))
            #expect(said["problems"] == [] && said["broken"] == 0, "the node was not killed: \(JSONWriter.text(said))")
            #expect(!Files.exists(place + "/twice"), "\(chance)")
            // A pod of the deployment is the same pod with one more start for each restart that its status tells a
            // moment later, or fewer: what the keeper took along before it had said anything has not told its start.
            try await eventually(within: .seconds(60), "all starts are told, \(chance)") {
                let told = try Files.readText(place + "/starts").split(separator: "\n")
                let starts = told.filter { $0.hasPrefix("web-") }
                let restarts = try await Self.restarts(kubectl).reduce(0, +)
                return Set(starts).count == 3 && starts.count <= 3 + restarts
            }
        }
    }

    private static func restarts(_ kubectl: KubeStage) async throws -> [Int] {
        let list = try await kubectl.get("pods", "-l", "app=web")
        return (list["items"]?.array ?? []).map { pod in
            Int(pod["status", "containerStatuses"]?[0]?["restartCount"]?.integer ?? -1)
        }
    }

    /// Where the program stands that pods run, and what it writes.
    private static func program(_ kubectl: KubeStage) throws -> String {
        let place = kubectl.forkless.path("place")
        try Files.makeDirectory(place)
        let tests = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let outcome = try CommandRunner.runBlocking(
            ["cc", "-O1", "-static", "-o", place + "/only", "/\(tests)/Fixtures/only.c"])
        try #require(outcome.status.isSuccess, "\(outcome.errorText)")
        return place
    }

    private static func workloads(_ place: String) -> String {
        func template(_ name: String, _ policy: String, _ seconds: Int) -> String {
            """
                metadata: {labels: {app: \(name)}}
                spec:
                  restartPolicy: \(policy)
                  terminationGracePeriodSeconds: 1
                  containers:
                  - name: main
                    image: busybox:1
                    command: [/place/only, /place, $(NAME), "\(seconds)"]
                    env: [{name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
                    volumeMounts: [{name: place, mountPath: /place}]
                  volumes: [{name: place, hostPath: {path: \(place)}}]
            """
        }
        return """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web}
            spec:
              replicas: 3
              selector: {matchLabels: {app: web}}
              template:
            \(template("web", "Always", 0))
            ---
            apiVersion: batch/v1
            kind: Job
            metadata: {name: work}
            spec:
              completions: 6
              parallelism: 2
              backoffLimit: 20
              template:
            \(template("work", "Never", 1))
            """
    }

    /// Sixteen clients that create, patch and delete objects of their own, and one that watches them all; each goes on by itself
    /// when the node is gone for a while. Prints what was answered and then was not so.
    private static let load = #"""
        seen, problems, lock = {}, [], threading.Lock()
        counts = {"answered": 0, "broken": 0, "events": 0}
        stop, last = sys.argv[1], threading.Event()

        def problem(text):
            with lock:
                if len(problems) < 20:
                    problems.append(text)

        def again():
            with lock:
                counts["broken"] += 1
            time.sleep(0.05)
            try:
                reload()
            except Exception:
                pass

        def write(number):
            chance, revision, connection, size = random.Random(number), 0, None, 0
            while not os.path.exists(stop):
                name = "c%d-%d" % (number, chance.randrange(3))
                state = seen.get(name)
                size += 1
                data = {"left": str(size), "right": str(size)}
                if state is None:
                    request, new = ("POST", maps, config_map(name, data=data)), size
                elif chance.random() < 0.3:
                    request, new = ("DELETE", maps + "/" + name), None
                else:
                    request, new = ("PATCH", maps + "/" + name, {"data": data}, "application/merge-patch+json"), size
                try:
                    if connection is None:
                        connection = connect(60)
                    status, value, _ = call(*request, connection=connection)
                except Exception:
                    connection = None
                    again()
                    # It was done, or it was not: the object says which, when there is somebody to ask.
                    while not os.path.exists(stop):
                        try:
                            status, value, _ = call("GET", maps + "/" + name, timeout=60)
                        except Exception:
                            again()
                            continue
                        found = int(value["data"]["left"]) if status == 200 else None
                        if found not in (state, new):
                            problem("%s is %s after an unanswered %s of %s" % (name, found, new, state))
                        seen[name] = found
                        break
                    else:
                        seen.pop(name, None)
                        seen[name + "?"] = (state, new)
                    continue
                if status not in (200, 201):
                    problem("%s: %s %s" % (request[:2], status, value))
                    return
                with lock:
                    counts["answered"] += 1
                seen[name] = new
                if new is not None:
                    now = int(value["metadata"]["resourceVersion"])
                    if now <= revision:
                        problem("revision %d after %d" % (now, revision))
                    revision = now

        watched = {}

        def watch():
            revision = None
            while not last.is_set():
                try:
                    if revision is None:
                        _, value, _ = call("GET", maps, timeout=10)
                        revision = int(value["metadata"]["resourceVersion"])
                        watched.update({item["metadata"]["name"]: item["data"] for item in value["items"]})
                    connection = connect(5)
                    connection.request("GET", maps + "?watch=1&resourceVersion=%d" % revision)
                    answer = connection.getresponse()
                    while line := answer.readline():
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            problem("the watch ended: %s" % event["object"]["message"])
                            return
                        item = event["object"]
                        now = int(item["metadata"]["resourceVersion"])
                        if now <= revision:
                            problem("event %d after %d" % (now, revision))
                        revision, counts["events"] = now, counts["events"] + 1
                        if event["type"] == "DELETED":
                            watched.pop(item["metadata"]["name"], None)
                        else:
                            watched[item["metadata"]["name"]] = item["data"]
                except TimeoutError:
                    # Nothing has come for a while, which breaks nothing.
                    continue
                except Exception as error:
                    if isinstance(error, (KeyError, AttributeError)):
                        problem(repr(error))
                    if not last.is_set():
                        again()

        threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
        watching = threading.Thread(target=watch)
        for thread in threads + [watching]:
            thread.start()
        for thread in threads:
            thread.join()
        broken = counts["broken"]
        reload()
        _, value, _ = call("GET", maps)
        there = {item["metadata"]["name"]: item["data"] for item in value["items"] if "-" in item["metadata"]["name"]}
        there.pop("kube-root-ca.crt", None)
        for name, data in there.items():
            if data["left"] != data["right"]:
                problem("%s is half written: %s" % (name, data))
        for name, state in seen.items():
            found = there.get(name.rstrip("?"))
            found = int(found["left"]) if found else None
            if found != state and not (name.endswith("?") and found in state):
                problem("%s is %s, not %s" % (name, found, state))
        # What the watch told, resumed after each kill, is what there is.
        for _ in range(100):
            told = {name: data for name, data in watched.items() if name != "kube-root-ca.crt"}
            if told == there:
                break
            time.sleep(0.1)
        else:
            problem("the watch told something else: %s" % sorted(set(told) ^ set(there)))
        last.set()
        watching.join()
        print(json.dumps({"problems": problems, **counts, "broken": broken}))
        """#
}
