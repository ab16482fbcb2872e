import Testing

@testable import Packing

@Suite struct LinkWalkTests {
    @Test func `links are followed as the kernel does`() throws {
        let tree = SmallTree(
            ["/usr/bin/mawk": "", "/data/x": ""],
            links: [
                "/bin": "usr/bin", "/usr/bin/awk": "/etc/alternatives/awk", "/etc/alternatives/awk": "/usr/bin/mawk",
                "/up": "data/../usr",
            ])
        let walk = try #require(try LinkWalk.follow("/bin/awk", in: tree))
        #expect(walk.path == "/usr/bin/mawk")
        #expect(
            walk.links == [
                "/bin": "usr/bin", "/usr/bin/awk": "/etc/alternatives/awk", "/etc/alternatives/awk": "/usr/bin/mawk",
            ])
        #expect(try LinkWalk.follow("/up/bin/../bin/./mawk", in: tree)?.path == "/usr/bin/mawk")
        #expect(try LinkWalk.follow("/bin/none", in: tree) == nil)
        #expect(try LinkWalk.follow("/../..", in: tree)?.path == "/")
    }

    @Test func `links in a circle are an error`() {
        let tree = SmallTree(links: ["/a": "b", "/b": "a"])
        #expect(throws: PackFailure("/a: links lead in a circle")) { try LinkWalk.follow("/a", in: tree) }
    }
}
