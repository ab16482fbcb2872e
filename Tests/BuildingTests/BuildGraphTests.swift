import Building
import Testing

@Suite struct BuildGraphTests {
    private func graph(
        _ text: String, target: String? = nil, arguments: [String: String] = [:]
    ) throws -> BuildGraph {
        try BuildGraph(
            Dockerfile(parsing: Array(text.utf8)), target: target, arguments: arguments, platform: "linux/amd64")
    }

    private let three = "FROM a AS one\nFROM b AS two\nFROM scratch\nCOPY --from=One x y\nCOPY --from=img x y\n"

    @Test func `only what the target needs is built`() throws {
        let graph = try graph(three)
        #expect(graph.nodes.map(\.stage.number) == [0, 2])
        #expect(graph.nodes.map(\.base) == [.image("a"), .scratch])
        #expect(graph.nodes[1].copies == [4: .stage(0), 5: .image("img")])
        #expect(try self.graph(three, target: "TWO").nodes.map(\.stage.number) == [1])
        #expect(try self.graph(three, target: "0").nodes.map(\.stage.number) == [0])
        let chain = try self.graph("FROM a AS x\nFROM x AS y\nFROM y")
        #expect(chain.nodes.map(\.base) == [.image("a"), .stage(0), .stage(1)])
    }

    @Test func `a stage can use earlier stages only`() throws {
        let later = "FROM a\nCOPY --from=1 x y\nFROM b"
        for text in ["FROM a\nCOPY --from=0 x y", "FROM a AS s\nCOPY --from=s x y", later] {
            let error = #expect(throws: DockerfileError.self) { _ = try graph(text) }
            #expect(error?.line == 2)
        }
        // The name of a later stage is an image's here, as in Docker.
        #expect(try graph("FROM s\nFROM b AS s", target: "0").nodes[0].base == .image("s"))
        #expect(throws: DockerfileError.self) { _ = try graph(three, target: "four") }
    }

    @Test func `FROM sees the ARGs before it, build arguments first`() throws {
        let text = "ARG V=1\nARG W=${V}.2\nFROM --platform=$BUILDPLATFORM a:$W\nARG V\n"
        #expect(try graph(text).nodes[0].base == .image("a:1.2"))
        let given = try graph(text, arguments: ["V": "3", "X": "4", "http_proxy": "p"])
        #expect(given.nodes[0].base == .image("a:3.2"))
        #expect(given.globals["V"] == "3")
        #expect(given.undeclaredArguments == ["X"])
    }

    static let refused = ["FROM $NONE", "FROM --platform=linux/s390x a", "FROM ${V:?needed}"]

    @Test(arguments: refused) func `a base that cannot be is an error with its line`(text: String) {
        let error = #expect(throws: DockerfileError.self) { _ = try graph("\n" + text) }
        #expect(error?.line == 2)
    }
}
