import JSON
import Testing

@testable import Pods

@Suite struct QualityOfServiceTests {
    private static func spec(_ resources: JSONValue...) -> JSONValue {
        ["containers": .array(resources.map { ["name": "c", "resources": $0] })]
    }

    @Test func `a pod's class follows from what its containers ask for and are limited to`() {
        let full: JSONValue = [
            "limits": ["cpu": "1", "memory": "64Mi"], "requests": ["cpu": "1000m", "memory": "67108864"],
        ]
        #expect(QualityOfService(spec: Self.spec([:])) == .bestEffort)
        #expect(QualityOfService(spec: Self.spec(full)) == .guaranteed)
        #expect(QualityOfService(spec: Self.spec(full, [:])) == .burstable)
        #expect(QualityOfService(spec: Self.spec(["requests": ["memory": "1Mi"]])) == .burstable)
        #expect(QualityOfService(spec: Self.spec(["requests": ["ephemeral-storage": "1Mi"]])) == .bestEffort)
        #expect(QualityOfService(spec: Self.spec(["limits": ["cpu": "not a number"]])) == .bestEffort)
    }
}
