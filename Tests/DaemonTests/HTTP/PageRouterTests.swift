import HTTPServing
import Linux
import Synchronization
import TestKit
import Testing

@testable import Daemon

@Suite struct HostRuleTests {
    @Test func `only names that nobody else can point here reach the pages of the node`() {
        let rule = HostRule(listens: IPAddress("127.0.0.1")!)
        for host in ["localhost", "localhost:7070", "LocalHost.", "127.0.0.1:7070", "127.1.2.3", "[::1]:7070", "[::1]"] {
            #expect(rule.allows(host), "\(host)")
        }
        for host in [
            nil, "", ":7070", "evil.example", "evil.example:7070", "localhost.evil.example", "localhost:7070@evil.example",
            "127.0.0.1.evil.example", "192.0.2.7", "[::2]", "[::1]evil", "[localhost]", "0.0.0.0", "a localhost", "0x7f.1",
        ] {
            #expect(!rule.allows(host), "\(host ?? "none")")
        }
    }

    @Test func `the address that is listened at is served, and any in numbers behind the unspecified one`() {
        let rule = HostRule(listens: IPAddress("192.0.2.7")!)
        #expect(rule.allows("192.0.2.7:7070"))
        #expect(!rule.allows("192.0.2.8"))
        let all = HostRule(listens: IPAddress("::")!)
        #expect(all.allows("192.0.2.8"))
        #expect(all.allows("[2001:db8::1]:7070"))
        #expect(!all.allows("evil.example"))
    }
}

@Suite struct PageRouterTests {
    private static func page(_ path: NodePage.Path, _ says: String) -> NodePage {
        NodePage(path, limit: 10) { .plain(200, "\(says) \($0.request.method) \(String(decoding: $0.body, as: UTF8.self))") }
    }

    private func served(_ body: (@Sendable (String, [(String, String)], [UInt8]) async throws -> HTTPResponse) async throws -> Void) async throws
    {
        let site = NodeSite(owns: { $0.headers["host"] == "site.example" }) { _ in Fixed("the site") }
        let table = PageRouter.Table(
            sites: [site],
            pages: [
                Self.page(.exactly("/"), "root"), Self.page(.below("/dashboard"), "dashboard"),
                Self.page(.below("/dashboard/inner"), "inner"), Self.page(.exactly("/dashboard/inner/one"), "one"),
            ], rule: HostRule(listens: IPAddress("127.0.0.1")!))
        let loops = ServingLoops(count: 1)
        let listener = try await HTTPListener.listen(on: .tcp("127.0.0.1", 0), loops: loops) { PageRouter(table, on: $0) }
        let loop = loops.loops[0]
        do {
            try await body { target, headers, body in
                try await HTTPCall(to: listener.address!, on: loop).answer(
                    to: HTTPRequest(
                        method: body.isEmpty ? "GET" : "POST", target: target,
                        headers: HeaderFields(headers.isEmpty ? [("Host", "localhost")] : headers)), body: body)
            }
        } catch {
            await listener.close(after: .zero)
            await loops.shutDown()
            throw error
        }
        await listener.close(after: .zero)
        await loops.shutDown()
    }

    @Test func `the page with the longest path answers`() async throws {
        try await served { call in
            for (target, says) in [
                ("/", "root"), ("/?a=/dashboard", "root"), ("/dashboard", "dashboard"), ("/dashboard/", "dashboard"),
                ("/dashboard/x?y", "dashboard"), ("/dashboard/inner", "inner"), ("/dashboard/inner/one", "one"),
                ("/dashboard/inner/one/more", "inner"), ("/dashboard/innermost", "dashboard"),
            ] {
                let answer = try await call(target, [], [])
                #expect(answer.status == 200)
                #expect(String(decoding: answer.body, as: UTF8.self).hasPrefix(says + " GET"), "\(target)")
            }
            for target in ["/dashboards", "/other", "//", "/%64ashboard"] {
                #expect(try await call(target, [], []).status == 404, "\(target)")
            }
        }
    }

    @Test func `a request that names somebody else's host is refused with a sentence`() async throws {
        try await served { call in
            for host in ["evil.example", "localhost.evil.example:80"] {
                let answer = try await call("/", [("Host", host)], [])
                #expect(answer.status == 403)
                #expect(String(decoding: answer.body, as: UTF8.self).contains("http://localhost"))
            }
            #expect(try await call("/", [("Host", "localhost"), ("Host", "evil.example")], []).status != 200)
            let site = try await call("/dashboard", [("Host", "site.example")], [])
            #expect(String(decoding: site.body, as: UTF8.self) == "the site\n")
        }
    }

    @Test func `a body comes with its request, and a longer one than the page takes is 413`() async throws {
        try await served { call in
            let answer = try await call("/", [], Array("0123456789".utf8))
            #expect(String(decoding: answer.body, as: UTF8.self) == "root POST 0123456789\n")
            #expect(try await call("/", [], Array("0123456789x".utf8)).status == 413)
        }
    }
}

private final class Fixed: HTTPService {
    private let text: String

    init(_ text: String) { self.text = text }

    func receive(_ exchange: any HTTPExchange) -> BodyReading {
        exchange.respond(.plain(200, text))
        return .whole(limit: 0) { _ in }
    }
}
