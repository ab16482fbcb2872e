import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// A node whose wall clock is set while pods run.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(10))) struct KubeClockTests {
    /// The clock of a node and its keeper: Tests/Fixtures/set-clock.c.
    private struct NodeClock {
        let directory: TemporaryDirectory
        private let file: SharedFD

        init() async throws {
            directory = try TemporaryDirectory("clock")
            let source = #filePath.replacing("CommandLineTests/Kubernetes/KubeClockTests.swift", with: "Fixtures/set-clock.c")
            let built = try await CommandRunner.run(["cc", "-O1", "-shared", "-fPIC", "-o", directory.path("clock.so"), source])
            #expect(built.status.isSuccess, "\(built.errorText)")
            file = SharedFD(try Files.open(directory.path("ahead"), 0o102, mode: 0o600))
            try set(aheadSeconds: 0)
        }

        var variables: [String] {
            ["LD_PRELOAD=\(directory.path("clock.so"))", "SET_CLOCK=\(directory.path("ahead"))"]
        }

        /// Sets the clock so far ahead of the machine's.
        func set(aheadSeconds seconds: Int64) throws {
            // Over what the file has, which is mapped.
            try withUnsafeBytes(of: seconds) { try FileEntries.write($0, to: file.raw, at: 0, name: "ahead") }
        }
    }

    private static let day: Int64 = 86_400

    @Test func `what runs goes on when the clock is set two days ahead and back`() async throws {
        let clock = try await NodeClock()
        try await KubeStage.run(with: clock.variables) { kubectl in
            try await kubectl("create", "deployment", "app", "--image=busybox:1", "--replicas=2", "--", "sleep", "100000")
            // Daily, and half a day away from now: only a clock that is set brings its hour.
            let hour = (Clock.now().nanoseconds / 3_600_000_000_000 + 12) % 24
            try await kubectl.apply(
                """
                apiVersion: batch/v1
                kind: CronJob
                metadata: {name: daily}
                spec:
                  schedule: 0 \(hour) * * *
                  timeZone: Etc/UTC
                  jobTemplate:
                    spec:
                      template:
                        spec: {restartPolicy: Never, containers: [{name: c, image: "busybox:1", command: [sleep, "0.1"]}]}
                """)
            try await kubectl("rollout", "status", "deployment/app", "--timeout=60s")
            let before = try await containers(kubectl)
            #expect(before.count == 2)

            try clock.set(aheadSeconds: 2 * Self.day)
            // Of the two runs that were left out only the last is made good.
            try await eventually(within: .seconds(60), "the cron job ran") {
                try await finishedJobs(kubectl) == 1
            }
            try await kubectl("create", "configmap", "ahead")
            let ahead = try await kubectl.get("configmap", "ahead")["metadata", "creationTimestamp"]?.string
            let stamp = try #require(ahead.flatMap { Timestamp($0) })
            #expect(stamp.nanoseconds > Clock.now().nanoseconds + 46 * 3_600_000_000_000)
            #expect(try await containers(kubectl) == before)

            try clock.set(aheadSeconds: 0)
            try await kubectl("scale", "deployment/app", "--replicas=3")
            try await kubectl("rollout", "status", "deployment/app", "--timeout=60s")
            #expect(try await containers(kubectl).isSuperset(of: before))
            try await kubectl("delete", "pod", "-l", "app=app", "--grace-period=1", within: .seconds(60))
            try await kubectl("rollout", "status", "deployment/app", "--timeout=60s")
            // What was done is not done again.
            #expect(try await finishedJobs(kubectl) == 1)
        }
    }

    @Test(arguments: [(0, 4), (4, 0)]) func `a pod has its grace when the clock is set meanwhile`(
        _ days: (from: Int64, to: Int64)
    ) async throws {
        let clock = try await NodeClock()
        try await KubeStage.run(with: clock.variables) { kubectl in
            try clock.set(aheadSeconds: days.from * Self.day)
            try await kubectl(
                "run", "deaf", "--image=busybox:1", "--command", "--", "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
            try await kubectl("wait", "--for=condition=Ready", "pod/deaf", "--timeout=60s")
            let asked = ContinuousClock.now
            try await kubectl("delete", "pod", "deaf", "--grace-period=3", "--wait=false")
            try clock.set(aheadSeconds: days.to * Self.day)
            // Neither days later nor before its time, which no slow machine can shorten.
            try await kubectl("wait", "--for=delete", "pod/deaf", "--timeout=60s", within: .seconds(90))
            #expect(ContinuousClock.now - asked >= .seconds(3))
        }
    }

    /// Containers of the deployment, and how often each was started.
    private func containers(_ kubectl: KubeStage) async throws -> Set<String> {
        let list = try await kubectl.get("pods", "-l", "app=app")
        return Set(
            (list["items"]?.array ?? []).map { pod in
                let status = pod["status", "containerStatuses"]?[0]
                return "\(status?["containerID"]?.string ?? "") \(status?["restartCount"]?.integer ?? -1)"
            })
    }

    private func finishedJobs(_ kubectl: KubeStage) async throws -> Int {
        let list = try await kubectl.get("jobs")
        return (list["items"]?.array ?? []).count { $0["status", "succeeded"]?.integer == 1 }
    }
}
