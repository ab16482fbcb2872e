import JSON
import KubeObjects
import KubeStore
import Testing

@testable import KubeControllers

/// A Job from its start to its removal: pauses, deadlines, suspension, replacements, indexes.
@Suite(.timeLimit(.minutes(2))) struct JobLifeTests {
    @Test func `a suspended job has no pods, and its deadline counts from when it is resumed`() async throws {
        let stage = try await JobStage(["suspend": true, "activeDeadlineSeconds": 100])
        var job = try await stage.job()
        #expect(await stage.pods.isEmpty)
        #expect(job.condition("Suspended")?["status"] == "True")
        #expect(job.condition("Suspended")?["reason"] == "JobSuspended")
        #expect(job.status["startTime"] == nil)
        try await stage.pass(.seconds(1000))
        #expect(try await stage.job().jobEnd == nil)
        try await stage.change { $0["suspend"] = false }
        job = try await stage.job()
        #expect(await stage.active.count == 1)
        #expect(job.condition("Suspended")?["status"] == "False")
        #expect(job.condition("Suspended")?["reason"] == "JobResumed")
        #expect(job.status["startTime"]?.string == stage.simulation.clock.now.kubeTime)
        // Suspended under way: its pods end, and are no failures.
        try await stage.pass(.seconds(60))
        try await stage.change { $0["suspend"] = true }
        #expect(await stage.active.isEmpty)
        job = try await stage.job()
        #expect(job.status.count("failed") == 0)
        #expect(job.status.count("active") == 0)
        try await stage.pass(.seconds(1000))
        try await stage.change { $0["suspend"] = false }
        try await stage.pass(.seconds(99))
        #expect(try await stage.job().jobEnd == nil)
        try await stage.pass(.seconds(1))
        job = try await stage.job()
        #expect(job.verdict == "Failed DeadlineExceeded")
        #expect(job.jobEnd?["message"] == "Job was active longer than specified deadline")
        #expect(await stage.active.isEmpty)
    }

    @Test func `pauses after failures double, and are measured from the last success`() async throws {
        let stage = try await JobStage(["completions": 5, "backoffLimit": 10])
        for pause in [10, 20, 40] {
            try await stage.end(try #require(await stage.active.first), 1)
            try await stage.pass(.seconds(pause - 1))
            #expect(await stage.active.isEmpty, "after \(pause - 1) s")
            try await stage.pass(.seconds(1))
            #expect(await stage.active.count == 1, "after \(pause) s")
        }
        try await stage.pass(.seconds(1))
        try await stage.end(try #require(await stage.active.first), 0)
        #expect(await stage.active.count == 1, "a success is followed at once")
        try await stage.pass(.seconds(1))
        try await stage.end(try #require(await stage.active.first), 1)
        try await stage.pass(.seconds(10))
        #expect(await stage.active.count == 1)
    }

    @Test func `containers that are started anew count against the limit`() async throws {
        let stage = try await JobStage([
            "backoffLimit": 2, "template": Fixture.template(["job": "work"], restart: "OnFailure"),
        ])
        for restarts: Int64 in [1, 2] {
            #expect(try await stage.job().jobEnd == nil)
            var pod = try #require(await stage.active.first)
            pod.status = [
                "phase": "Running", "containerStatuses": [["name": "main", "restartCount": .integer(restarts)]],
            ]
            try await stage.simulation.api.update(.pods, pod, subresource: "status")
            try await stage.settle()
        }
        #expect(try await stage.job().verdict == "Failed BackoffLimitExceeded")
    }

    @Test func `a job that has ended is removed after its time to live`() async throws {
        let stage = try await JobStage(["ttlSecondsAfterFinished": 100], with: [FinishedJobController()])
        try await stage.pass(.seconds(1000))
        try await stage.end(try #require(await stage.active.first), 0)
        #expect(try await stage.job().verdict == "Complete CompletionsReached")
        try await stage.pass(.seconds(99))
        #expect(await stage.simulation.object(.jobs, "work") != nil)
        try await stage.pass(.seconds(1))
        #expect(await stage.simulation.object(.jobs, "work") == nil)
    }

    @Test(arguments: [("TerminatingOrFailed", 1), ("Failed", 0)])
    func `a pod that is being deleted is replaced meanwhile, or when it has ended`(policy: String, count: Int)
        async throws
    {
        let stage = try await JobStage(["podReplacementPolicy": .string(policy)])
        let pod = try #require(await stage.active.first)
        try await stage.simulation.api.delete(.pods, namespace: "default", pod.name, DeletionOptions())
        func made() -> Int {
            stage.decide().actions.count { if case .create(.pods, _) = $0 { true } else { false } }
        }
        // A deletion counts as a failure, which is followed by a pause.
        #expect(made() == 0)
        stage.simulation.clock.advance(.seconds(10))
        #expect(made() == count)
        try await stage.settle()
        try await stage.pass(.seconds(10))
        #expect(await stage.active.count == 1)
        #expect(await stage.pods.contains { $0.name == pod.name } == false)
    }

    @Test func `a pause after a deletion is measured from when it was asked for`() async throws {
        let stage = try await JobStage([:])
        var pod = try #require(await stage.active.first)
        let now = stage.simulation.clock.now
        pod.metadata.deletionTimestamp = now.adding(.seconds(30)).kubeTime
        pod.metadata.deletionGracePeriodSeconds = 30
        // It has been ready for long, which says nothing of its end.
        pod.status = [
            "phase": "Running",
            "conditions": [
                ["type": "Ready", "status": "True", "lastTransitionTime": .string(now.adding(.seconds(-500)).kubeTime)]
            ],
        ]
        #expect(pod.ended(now.adding(.seconds(20))).kubeTime == now.kubeTime)
        pod.status["conditions"] = [
            ["type": "Ready", "status": "False", "lastTransitionTime": .string(now.adding(.seconds(5)).kubeTime)]
        ]
        #expect(pod.ended(now.adding(.seconds(20))).kubeTime == now.adding(.seconds(5)).kubeTime)
    }

    @Test func `a job that somebody else manages is left alone`() async throws {
        let stage = try await JobStage(["managedBy": "example.com/queue"])
        #expect(await stage.pods.isEmpty)
        let status = try await stage.job().status
        #expect(status == .null || status == [:])
        #expect(stage.decide() == Decision())
        let own = try await JobStage(["managedBy": "kubernetes.io/job-controller"])
        #expect(await own.active.count == 1)
    }

    @Test func `pods of an indexed job know their index by name, host, label and variable`() async throws {
        var template = Fixture.template(["job": "work"], restart: "Never")
        template["spec", "initContainers"] = [["name": "first", "image": "one"]]
        let stage = try await JobStage([
            "completionMode": "Indexed", "completions": 2, "parallelism": 2, "template": template,
        ])
        for index: Int64 in 0...1 {
            let pod = try await stage.active(index)
            #expect(pod.name.hasPrefix("work-\(index)-"))
            #expect(pod.spec["hostname"]?.string == "work-\(index)")
            #expect(pod.label("batch.kubernetes.io/job-completion-index") == "\(index)")
            #expect(pod.annotation("batch.kubernetes.io/job-completion-index") == "\(index)")
            for containers in ["containers", "initContainers"] {
                let variable = pod.spec[containers]?[0]?["env"]?[0]
                #expect(variable?["name"] == "JOB_COMPLETION_INDEX")
                #expect(
                    variable?["valueFrom", "fieldRef", "fieldPath"]
                        == "metadata.labels['batch.kubernetes.io/job-completion-index']")
            }
        }
    }

    @Test func `without a number of completions one success lets the others finish`() async throws {
        let stage = try await JobStage(["parallelism": 3])
        try await stage.change { $0["completions"] = nil }
        let pods = await stage.active
        try await stage.end(try #require(pods.first), 0)
        #expect(await stage.active.count == pods.count - 1, "no new pod, and none is ended")
        #expect(try await stage.job().jobEnd == nil)
        for pod in pods.dropFirst() { try await stage.end(pod, 0) }
        let job = try await stage.job()
        #expect(job.verdict == "Complete CompletionsReached")
        #expect(job.status.count("succeeded") == Int64(pods.count))
    }

    @Test func `parallelism goes up and down under way`() async throws {
        let stage = try await JobStage(["completions": 8, "parallelism": 2])
        try await stage.change { $0["parallelism"] = 5 }
        #expect(await stage.active.count == 5)
        try await stage.change { $0["parallelism"] = 1 }
        #expect(await stage.active.count == 1)
        #expect(try await stage.job().status.count("failed") == 0)
        try await stage.change { $0["parallelism"] = 0 }
        #expect(await stage.active.isEmpty)
        #expect(try await stage.job().jobEnd == nil)
    }
}
