import KubeObjects
import Metrics
import Testing

@testable import KubeServing

@Suite struct RequestCountsTests {
    @Test(arguments: [
        ("GET", "api/v1/pods", "", "list"), ("GET", "api/v1/namespaces/a/pods", "", "list"),
        ("GET", "api/v1/namespaces/a/pods", "watch=true", "watch"), ("GET", "api/v1/namespaces/a/pods/b", "", "get"),
        ("GET", "api/v1/namespaces/a", "", "get"), ("GET", "api/v1/namespaces", "", "list"), ("GET", "version", "watch=1", "get"),
        ("GET", "apis/apps/v1/namespaces/a/deployments/b/status", "", "get"), ("POST", "api/v1/namespaces/a/pods", "", "create"),
        ("PUT", "apis/apps/v1/namespaces/a/deployments/b", "", "update"), ("PATCH", "api/v1/nodes/a", "", "patch"),
        ("DELETE", "api/v1/nodes/a", "", "delete"), ("DELETE", "api/v1/namespaces/a/pods", "", "deletecollection"),
        ("EVIL\u{1b}", "api/v1/nodes", "", "other"),
    ])
    func `a request has the verb that rules of access name`(method: String, path: String, query: String, verb: String) {
        let pairs = query.split(separator: "=").map(String.init)
        let request = APIRequest(
            method: method, path: path.split(separator: "/").map(String.init),
            query: pairs.isEmpty ? [] : [(name: pairs[0], value: pairs[1])], headers: [:], body: [], user: .anonymous, peerAddress: nil)
        #expect(RequestCounts.verb(request) == verb)
    }

    @Test func `requests are counted by verb and status`() async {
        let counts = RequestCounts()
        counts.count("get", 200, nanoseconds: 1_000_000)
        counts.count("get", 200, nanoseconds: 1_000_000)
        counts.count("get", 404, nanoseconds: 1_000_000)
        let families = await counts.metrics()
        #expect(families[0].samples == [
            MetricSample(["verb": "get", "code": "200"], 2), MetricSample(["verb": "get", "code": "404"], 1),
        ])
        guard case .histogram(let durations) = families[1].samples[0].value else { return #expect(Bool(false), "no histogram") }
        #expect(durations.count == 3)
        #expect(durations.buckets.first { $0.upperBound == 0.001 }?.count == 3)
    }
}
