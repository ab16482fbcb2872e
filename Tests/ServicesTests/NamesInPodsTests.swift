import JSON
import KubeObjects
import Linux
import TestKit
import Testing

@testable import Services

/// Names as pods ask for them, with dig.
@Suite(.enabled(if: isRoot), .leavesNoTrace, .timeLimit(.minutes(2)), .serialized) struct NamesInPodsTests {
    @Test func `pods learn the addresses of services at the gateway and at the service of names`() async throws {
        try await ServiceWorld.with { world in
            let (one, client) = (try await world.pod("one"), try await world.pod("client"))
            try await world.service("web")
            try await world.service("all", address: "None")
            try await world.endpoints("all", [one.endpoint])
            for server in [ServiceWorld.gateway, "10.96.0.10"] {
                for transport in ["+notcp", "+tcp"] {
                    func dig(_ words: String) async throws -> String {
                        let command = "dig @\(server) +short +tries=2 +time=10 \(transport) \(words)"
                        return try await world.run(in: client.namespace, "sh", "-c", command).text
                    }
                    try await eventually("\(server) answers") {
                        try await dig("web.default.svc.cluster.local") == "10.96.1.1\n"
                    }
                    // It came later than the other.
                    try await eventually("\(server) knows the pods") {
                        try await dig("all.default.svc.cluster.local") == one.address + "\n"
                    }
                    #expect(try await dig("-x 10.96.1.1") == "web.default.svc.cluster.local.\n")
                }
            }
        }
    }
}
