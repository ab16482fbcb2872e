import JSON
import KubeObjects
import KubeStore
import Testing

@testable import KubeControllers

/// What ends a Job early: podFailurePolicy, successPolicy, limits of indexes.
@Suite(.timeLimit(.minutes(2))) struct JobPolicyTests {
    private func policy(_ rules: JSONValue...) -> JSONValue { ["rules": .array(rules)] }

    private func codes(_ action: String, _ values: [Int64], _ isIn: Bool = true, container: String? = nil) -> JSONValue
    {
        var codes: JSONValue = ["operator": isIn ? "In" : "NotIn", "values": .array(values.map { .integer($0) })]
        if let container { codes["containerName"] = .string(container) }
        return ["action": .string(action), "onExitCodes": codes]
    }

    private let onDisruption: JSONValue = [
        "action": "Ignore", "onPodConditions": [["type": "DisruptionTarget", "status": "True"]],
    ]

    @Test func `FailJob ends the job at the first pod with that exit code, and its other pods`() async throws {
        let stage = try await JobStage([
            "parallelism": 3, "completions": 3, "podFailurePolicy": policy(codes("FailJob", [42])),
        ])
        let pod = try #require(await stage.active.first)
        try await stage.end(pod, 42)
        let job = try await stage.job()
        #expect(job.verdict == "Failed PodFailurePolicy")
        #expect(
            job.jobEnd?["message"]?.string
                == "Container main for pod default/\(pod.name) failed with exit code 42 matching FailJob rule at index 0"
        )
        #expect(job.condition("FailureTarget")?["reason"] == "PodFailurePolicy")
        #expect(await stage.active.isEmpty)
        // Those that were ended have failed, too.
        #expect(job.status.count("failed") == 3)
        #expect(job.status.count("active") == 0)
    }

    @Test func `Ignore counts no failure, and the pod is replaced`() async throws {
        let stage = try await JobStage(["backoffLimit": 0, "podFailurePolicy": policy(onDisruption)])
        for _ in 0..<3 {
            try await stage.end(try #require(await stage.active.first), 137, disrupted: true)
            #expect(try await stage.job().status.count("failed") == 0)
            #expect(await stage.active.count == 1)
        }
        try await stage.end(try #require(await stage.active.first), 1)
        let job = try await stage.job()
        #expect(job.verdict == "Failed BackoffLimitExceeded")
        #expect(job.jobEnd?["message"] == "Job has reached the specified backoff limit")
        #expect(job.status.count("failed") == 1)
    }

    @Test func `the first rule that holds counts, and without one a failure is a failure`() async throws {
        let stage = try await JobStage([
            "backoffLimit": 10,
            "podFailurePolicy": policy(
                codes("FailJob", [9], container: "sidecar"), codes("Count", [5]), codes("FailJob", [7], false)),
        ])
        try await stage.end(try #require(await stage.active.first), 5)
        #expect(try await stage.job().status.count("failed") == 1)
        try await stage.pass(.seconds(10))
        // Neither rule is for 7.
        try await stage.end(try #require(await stage.active.first), 7)
        var job = try await stage.job()
        #expect(job.status.count("failed") == 2)
        #expect(job.jobEnd == nil)
        try await stage.pass(.seconds(20))
        let last = try #require(await stage.active.first)
        try await stage.end(last, 9)
        job = try await stage.job()
        #expect(job.verdict == "Failed PodFailurePolicy")
        #expect(
            job.jobEnd?["message"]?.string?.hasSuffix("failed with exit code 9 matching FailJob rule at index 2")
                == true)
    }

    @Test func `FailIndex gives an index up at once, and the others go on`() async throws {
        let stage = try await JobStage([
            "completionMode": "Indexed", "completions": 3, "parallelism": 3, "backoffLimitPerIndex": 2,
            "podFailurePolicy": policy(codes("FailIndex", [42])),
        ])
        try await stage.end(try await stage.active(1), 42)
        var job = try await stage.job()
        #expect(job.status["failedIndexes"] == "1")
        #expect(job.jobEnd == nil)
        #expect(Set(await stage.active.compactMap(\.completionIndex)) == [0, 2])
        for index: Int64 in [0, 2] { try await stage.end(try await stage.active(index), 0) }
        job = try await stage.job()
        #expect(job.verdict == "Failed FailedIndexes")
        #expect(job.jobEnd?["message"] == "Job has failed indexes")
        #expect(job.status["completedIndexes"] == "0,2")
        #expect(job.status.count("succeeded") == 2)
    }

    @Test func `each index has its own limit of failures, and its own pauses`() async throws {
        let stage = try await JobStage([
            "completionMode": "Indexed", "completions": 2, "parallelism": 2, "backoffLimitPerIndex": 1,
        ])
        #expect(try await stage.active(0).annotation(JobSpec.failuresAnnotation) == "0")
        try await stage.end(try await stage.active(0), 1)
        #expect(await stage.active.compactMap(\.completionIndex) == [1])
        try await stage.pass(.seconds(9))
        #expect(await stage.active.compactMap(\.completionIndex) == [1])
        try await stage.pass(.seconds(1))
        let second = try await stage.active(0)
        #expect(second.annotation(JobSpec.failuresAnnotation) == "1")
        #expect(try await stage.job().status["failedIndexes"] == "")
        try await stage.end(second, 1)
        #expect(try await stage.job().status["failedIndexes"] == "0")
        try await stage.pass(.seconds(1000))
        #expect(await stage.active.compactMap(\.completionIndex) == [1], "an index that was given up begins again")
        try await stage.end(try await stage.active(1), 0)
        let job = try await stage.job()
        #expect(job.verdict == "Failed FailedIndexes")
        #expect(job.status.count("failed") == 2)
    }

    @Test func `too many failed indexes end the job`() async throws {
        let stage = try await JobStage([
            "completionMode": "Indexed", "completions": 5, "parallelism": 5, "backoffLimitPerIndex": 0,
            "maxFailedIndexes": 1,
        ])
        try await stage.end(try await stage.active(3), 1)
        #expect(try await stage.job().jobEnd == nil)
        try await stage.end(try await stage.active(1), 1)
        let job = try await stage.job()
        #expect(job.verdict == "Failed MaxFailedIndexesExceeded")
        #expect(job.jobEnd?["message"] == "Job has exceeded the specified maximal number of failed indexes")
        #expect(job.status["failedIndexes"]?.string?.hasPrefix("1,3") == true || job.status["failedIndexes"] == "1,3")
        #expect(await stage.active.isEmpty)
    }

    @Test func `a success policy ends the job with those that it asks for`() async throws {
        let stage = try await JobStage([
            "completionMode": "Indexed", "completions": 5, "parallelism": 5,
            "successPolicy": ["rules": [["succeededIndexes": "0,2-3", "succeededCount": 2]]],
        ])
        for index: Int64 in [1, 4, 0] { try await stage.end(try await stage.active(index), 0) }
        #expect(try await stage.job().jobEnd == nil, "1 and 4 do not count")
        try await stage.end(try await stage.active(3), 0)
        let job = try await stage.job()
        #expect(job.verdict == "Complete SuccessPolicy")
        #expect(job.condition("SuccessCriteriaMet")?["reason"] == "SuccessPolicy")
        #expect(job.jobEnd?["message"] == "Matched rules at index 0")
        #expect(job.status["completedIndexes"] == "0,1,3,4")
        #expect(job.status["completionTime"] != nil)
        #expect(await stage.active.isEmpty)
    }
}
