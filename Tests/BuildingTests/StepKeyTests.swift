@testable import Building
import Engine
import Images
import OCI
import Testing

@Suite struct StepKeyTests {
    private let chain = Digest(of: Array("below".utf8))
    private let here = StepKey.Circumstances(platform: "linux/amd64", epoch: nil)

    private let run = RunAction(
        words: ["/bin/sh", "-c", "make"], environment: ["A=1"], proxies: [], directory: "/", user: "", script: nil)

    private func key(_ change: (inout RunAction) -> Void) -> StepKey {
        var run = run
        change(&run)
        return StepKey(run: run, chain: chain, network: "none", here)
    }

    @Test func `what a step can see changes its key`() {
        let keys = [
            key { _ in }, key { $0.words.append("x") }, key { $0.words = ["/bin/sh", "-c make"] },
            key { $0.environment = ["A=2"] }, key { $0.environment.append("B=") }, key { $0.directory = "/a" },
            key { $0.user = "1" }, key { $0.script = "" },
            StepKey(run: run, chain: nil, network: "none", here),
            StepKey(run: run, chain: chain, network: "host", here),
            StepKey(run: run, chain: chain, network: "none", StepKey.Circumstances(platform: "linux/arm64", epoch: nil)),
            StepKey(run: run, chain: chain, network: "none", StepKey.Circumstances(platform: "linux/amd64", epoch: 0)),
            StepKey(directory: "/a", user: "", chain: chain, here), StepKey(directory: "/a", user: "1", chain: chain, here),
        ]
        #expect(Set(keys).count == keys.count)
    }

    @Test func `proxies do not change a key`() {
        #expect(key { $0.proxies = ["http_proxy=secret"] } == key { _ in })
        #expect(key { $0.environment = ["A=1", "B=2"] } == key { $0.environment = ["B=2", "A=1"] })
    }

    @Test func `fields do not run into each other`() {
        func digest(_ fields: [[String]?]) -> Digest {
            var hasher = KeyHasher()
            for field in fields { hasher.add(field) }
            return hasher.finish()
        }
        let digests = [
            digest([["ab", "c"]]), digest([["a", "bc"]]), digest([["abc"]]), digest([["ab"], ["c"]]), digest([nil]),
            digest([[]]), digest([[""]]), digest([]),
        ]
        #expect(Set(digests).count == digests.count)
    }
}
