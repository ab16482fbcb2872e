import HTTPServing
import Testing

@testable import Dashboard

@Suite struct RequestCheckTests {
    private func status(
        _ method: String = "GET", peer: String? = "127.0.0.1", _ headers: [(String, String)] = [("Host", "127.0.0.1:7070")]
    ) -> Int? {
        RequestCheck.refusal(of: HTTPRequest(method: method, target: "/dashboard", headers: HeaderFields(headers)), peer: peer)?.status
    }

    @Test(arguments: ["127.0.0.1", "127.0.0.1:7070", "127.8.9.1:1", "localhost", "LOCALHOST:8080", "[::1]", "[::1]:7070"])
    func `this machine's own names are known`(_ host: String) { #expect(status([("Host", host)]) == nil) }

    @Test(arguments: [
        "evil.example", "evil.example:7070", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1:7070", "", "[::2]", "[::1", "localhost:x",
        "localhost:70700", "127.0.0.1@evil.example", "localhost, evil.example", "[::1]evil", "127.1:7070:7070",
    ])
    func `a host that is not this machine is refused`(_ host: String) { #expect(status([("Host", host)]) == 403) }

    @Test func `none or two hosts are refused`() {
        #expect(status([]) == 403)
        #expect(status([("Host", "localhost"), ("Host", "evil.example")]) == 403)
    }

    @Test func `what another site sends is refused`() {
        let host = ("Host", "localhost:7070")
        for site in ["cross-site", "same-site", "odd"] {
            #expect(status("POST", [host, ("Sec-Fetch-Site", site)]) == 403)
            #expect(status("GET", [host, ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")]) == 403)
            #expect(status("GET", [host, ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")]) == 403)
            #expect(status("POST", [host, ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]) == 403)
            // A link to a page: without the session's cookie it is the page to log in at.
            #expect(status("GET", [host, ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]) == nil)
        }
        for origin in ["http://evil.example", "null", "http://localhost:8080", "http://localhost:7070.evil.example", "file://"] {
            #expect(status("POST", [host, ("Origin", origin)]) == 403)
        }
        #expect(status("POST", [host, ("Origin", "http://localhost:7070"), ("Sec-Fetch-Site", "same-origin")]) == nil)
        #expect(status("POST", [host]) == nil, "a script has no origin; its token is asked for")
    }

    @Test func `who comes over the network is refused`() {
        #expect(status(peer: "10.1.2.3") == 403)
        #expect(status(peer: "::ffff:10.1.2.3") == 403)
        #expect(status(peer: "::1") == nil)
        #expect(status(peer: nil) == nil)
    }

    @Test(arguments: ["PUT", "DELETE", "OPTIONS", "TRACE", "get"])
    func `other methods are refused`(_ method: String) { #expect(status(method) == 405) }

    private func status(_ headers: [(String, String)]) -> Int? { status("GET", headers) }
}
