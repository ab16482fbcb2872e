import JSON
import KubeObjects
import Linux
import Testing

@testable import Pods

@Suite struct DeletionDeadlineTests {
    private func pod(_ metadata: JSONValue) -> KubeObject {
        KubeObject(json: ["apiVersion": "v1", "kind": "Pod", "metadata": metadata])
    }

    private func moment(_ text: String) -> Timestamp { Timestamp(text)! }

    @Test func `a pod that is not to go has no deadline`() {
        #expect(pod(["name": "p"]).deletionDeadline(heardAt: moment("2026-11-30T10:00:00Z")) == nil)
    }

    @Test func `programs have their whole grace, though the object's moment is cut to seconds`() {
        // Asked for at 10:00:00.9 with two seconds of grace.
        let pod = pod(["deletionTimestamp": "2026-11-30T10:00:02Z", "deletionGracePeriodSeconds": 2])
        #expect(pod.deletionDeadline(heardAt: moment("2026-11-30T10:00:00.9Z")) == moment("2026-11-30T10:00:02.9Z"))
    }

    @Test func `who hears of it late gives no more than the second that was cut`() {
        let pod = pod(["deletionTimestamp": "2026-11-30T10:00:02Z", "deletionGracePeriodSeconds": 2])
        #expect(pod.deletionDeadline(heardAt: moment("2026-11-30T11:00:00Z")) == moment("2026-11-30T10:00:03Z"))
    }

    @Test func `no grace is now`() {
        let pod = pod(["deletionTimestamp": "2026-11-30T10:00:02Z", "deletionGracePeriodSeconds": 0])
        let now = moment("2026-11-30T10:00:02.5Z")
        #expect(pod.deletionDeadline(heardAt: now) == now)
    }
}
