import HTTPServing
import Linux
import Synchronization
import TestKit
import Testing

@testable import Dashboard

@Suite struct DashboardDoorTests {
    static let secret = String(repeating: "t", count: 43)
    static let pages = [
        "", "/workloads", "/workloads/container/x", "/functions", "/shifts", "/shifts/x", "/images", "/events", "/ledger", "/reports", "/reports/x",
        "/confirm?do=stop&id=x", "/nothing",
    ]

    /// A door with what a browser keeps.
    final class Browser {
        let source: FakeSource
        let door: DashboardDoor
        var cookie: String?

        init(_ source: FakeSource = FakeSource(), now: @escaping @Sendable () -> Timestamp = { FakeSource.now }) {
            self.source = source
            door = DashboardDoor(source, token: DashboardToken(secret), now: now)
        }

        func ask(
            _ path: String, _ method: String = "GET", form: String = "", headers: [(String, String)] = [], peer: String? = "127.0.0.1"
        ) async -> HTTPResponse {
            var fields = HeaderFields([("Host", "127.0.0.1:7070")] + headers)
            if let cookie { fields.add("Cookie", "other=1; " + cookie) }
            let request = HTTPRequest(method: method, target: "/dashboard" + path, headers: fields)
            return await door.answer(request, body: Array(form.utf8), peer: peer)
        }

        func logIn() async throws {
            let answer = await ask(String(door.loginPath().dropFirst("/dashboard".count)))
            let set = try #require(answer.headers["Set-Cookie"])
            cookie = String(set.prefix { $0 != ";" })
        }

        /// The token that stands in the forms of a page.
        func formToken() async throws -> String {
            let text = String(decoding: await ask("/shifts").body, as: UTF8.self)
            let parts = text.split(separator: "name=\"form\" value=\"")
            return String(try #require(parts.dropFirst().first).prefix { $0 != "\"" })
        }
    }

    @Test(arguments: pages)
    func `without a session every page asks for one`(_ path: String) async {
        let source = FakeSource(word: "tell-nobody")
        for headers in [[], [("Cookie", "forkless_session_7070=guess")], [("Authorization", "Bearer guess")], [("Authorization", "Basic dDp0")]] {
            for method in ["GET", "HEAD", "POST"] {
                let answer = await Browser(source).ask(path, method, form: "do=verify&form=", headers: headers)
                #expect(answer.status == 401)
                #expect(!String(decoding: answer.body, as: UTF8.self).contains("tell-nobody"))
                #expect(answer.headers["WWW-Authenticate"]?.hasPrefix("Bearer") == true)
            }
        }
        #expect(source.performed.isEmpty)
    }

    @Test func `an address with a ticket logs in once`() async throws {
        let browser = Browser()
        let path = String(browser.door.loginPath().dropFirst("/dashboard".count))
        #expect(await browser.ask(path, "HEAD").headers["Set-Cookie"] == nil, "who only looks ahead does not use it up")
        let answer = await browser.ask(path)
        let cookie = try #require(answer.headers["Set-Cookie"])
        #expect(cookie.contains("; HttpOnly; SameSite=Strict") && cookie.contains("; Path=/dashboard;"))
        #expect(answer.status == 200, "a page that goes on by itself: the cookie is strict")
        browser.cookie = String(cookie.prefix { $0 != ";" })
        #expect(await browser.ask("").status == 200)
        #expect(await Browser(browser.source).ask(path).status == 401)
        #expect(await browser.ask(path).status == 401, "nor does it work again")
    }

    @Test func `the token logs in by the page's form`() async throws {
        let browser = Browser()
        #expect(await browser.ask("/login").status == 200)
        #expect(await browser.ask("/login", "POST", form: "token=wrong").status == 401)
        let answer = await browser.ask("/login", "POST", form: "token=" + Self.secret)
        browser.cookie = answer.headers["Set-Cookie"].map { String($0.prefix { $0 != ";" }) }
        #expect(await browser.ask("/workloads").status == 200)
        let form = try await browser.formToken()
        #expect(await browser.ask("/logout", "POST", form: "form=" + form).status == 200)
        #expect(await browser.ask("/workloads").status == 401)
    }

    @Test func `wrong tokens are slowed down, and an address with a ticket still works`() async throws {
        let time = Mutex(FakeSource.now)
        let browser = Browser(now: { time.withLock { $0 } })
        for _ in 0..<10 { #expect(await browser.ask("/login", "POST", form: "token=wrong").status == 401) }
        let answer = await browser.ask("/login", "POST", form: "token=" + Self.secret)
        #expect(answer.status == 429 && answer.headers["Retry-After"] == "3")
        #expect(await browser.ask("", headers: [("Authorization", "Bearer wrong")]).status == 429)
        try await browser.logIn()
        #expect(await browser.ask("").status == 200)
        time.withLock { $0.nanoseconds += 3_000_000_000 }
        browser.cookie = nil
        #expect(await browser.ask("/login", "POST", form: "token=" + Self.secret).status == 200)
    }

    @Test func `a script sees pages and acts with the token`() async {
        let browser = Browser()
        let bearer = [("Authorization", "Bearer " + Self.secret)]
        #expect(await browser.ask("/workloads", headers: bearer).status == 200)
        let done = await browser.ask("/do", "POST", form: "do=rollback&id=s1", headers: bearer)
        #expect(done.status == 200 && String(decoding: done.body, as: UTF8.self) == "It was done to scorer.\n")
        browser.source.state.withLock { $0.failure = DashboardFailure(.conflict, "It is over.") }
        let failed = await browser.ask("/do", "POST", form: "do=rollback&id=s1", headers: bearer)
        #expect(failed.status == 409 && String(decoding: failed.body, as: UTF8.self) == "It is over.\n")
        #expect(browser.source.performed == [.rollBackShift("s1"), .rollBackShift("s1")])
    }

    @Test func `a form without the session's token does nothing`() async throws {
        let browser = Browser()
        try await browser.logIn()
        let other = Browser(browser.source)
        try await other.logIn()
        for form in ["", "&form=", "&form=guess", "&form=" + (try await other.formToken())] {
            #expect(await browser.ask("/do", "POST", form: "do=rollback&id=s1" + form).status == 403)
        }
        #expect(browser.source.performed.isEmpty)
    }

    @Test func `an action is asked for, done, and told of once`() async throws {
        let browser = Browser()
        try await browser.logIn()
        let asked = String(decoding: await browser.ask("/confirm?do=rollback&id=s1").body, as: UTF8.self)
        #expect(asked.contains("the original program answers every call") && browser.source.performed.isEmpty)
        let form = try await browser.formToken()
        let done = await browser.ask("/do", "POST", form: "do=rollback&id=s1&form=" + form, headers: [("Origin", "http://127.0.0.1:7070"), ("Sec-Fetch-Site", "same-origin")])
        #expect(done.status == 303 && done.headers["Location"] == "/dashboard/shifts/s1")
        #expect(browser.source.performed == [.rollBackShift("s1")])
        let part = await browser.ask("/shifts", headers: [("Forkless-Part", "live")])
        #expect(!String(decoding: part.body, as: UTF8.self).contains("It was done"))
        #expect(String(decoding: await browser.ask("/shifts").body, as: UTF8.self).contains("It was done to scorer."))
        #expect(!String(decoding: await browser.ask("/shifts").body, as: UTF8.self).contains("It was done"))
        #expect(await browser.ask("/do", "POST", form: "do=format&id=s1&form=" + form).status == 400)
        #expect(await browser.ask("/do", "POST", form: "do=provision&id=f&qualifier=1&form=" + form).status == 400)
        #expect(await browser.ask("/shifts", "POST", form: "form=" + form).status == 405)
        #expect(await browser.ask("/do?do=rollback&id=s1").status == 404, "what only looks does nothing")
    }

    @Test(arguments: pages + ["/login", "/confirm?do=x", "/%ff", "/a/b/c/d"])
    func `private pages are not kept`(_ path: String) async throws {
        let browser = Browser()
        for logsIn in [false, true] {
            if logsIn { try await browser.logIn() }
            for (peer, method) in [("127.0.0.1", "GET"), ("127.0.0.1", "POST"), ("10.0.0.1", "GET"), ("127.0.0.1", "PATCH")] {
                let answer = await browser.ask(path, method, peer: peer)
                #expect(answer.headers["Cache-Control"] == "no-store")
                let policy = try #require(answer.headers["Content-Security-Policy"])
                #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"))
                #expect(!policy.contains("unsafe-inline") || policy.contains("sandbox;"))
                #expect(answer.headers["X-Content-Type-Options"] == "nosniff")
                #expect(answer.headers["Referrer-Policy"] == "same-origin")
                #expect(answer.headers["Cross-Origin-Opener-Policy"] == "same-origin")
                #expect(answer.headers["Content-Type"]?.contains("charset=utf-8") == true)
            }
        }
    }

    @Test func `a page of another machine, host or site is refused before anything is looked at`() async throws {
        let browser = Browser()
        try await browser.logIn()
        let form = try await browser.formToken()
        let bearer = ("Authorization", "Bearer " + Self.secret)
        #expect(await browser.ask("", headers: [bearer], peer: "10.0.0.1").status == 403)
        let crossed = await browser.ask("/do", "POST", form: "do=verify&form=" + form, headers: [("Origin", "http://evil.example")])
        #expect(crossed.status == 403)
        let rebound = await browser.door.answer(
            HTTPRequest(method: "GET", target: "/dashboard", headers: HeaderFields([("Host", "evil.example"), bearer])), body: [], peer: "127.0.0.1")
        #expect(rebound.status == 403)
        #expect(browser.source.performed.isEmpty)
    }

    @Test func `script, style and icon are the same for everybody and may be kept`() async {
        for asset in [Assets.style, Assets.script, Assets.icon] {
            let answer = await Browser().ask(String(asset.place.text.dropFirst("/dashboard".count)))
            #expect(answer.status == 200 && answer.body == asset.bytes)
            #expect(answer.headers["Cache-Control"]?.contains("immutable") == true)
            #expect(answer.headers["X-Content-Type-Options"] == "nosniff")
        }
    }

    @Test func `more requests than can be served are told to come again`() async throws {
        let source = FakeSource()
        let browser = Browser(source)
        try await browser.logIn()
        let (door, cookie) = (browser.door, try #require(browser.cookie))
        let (stream, gate) = AsyncStream.makeStream(of: Void.self)
        let waiting = Mutex(0)
        source.state.withLock { state in
            state.gate = {
                waiting.withLock { $0 += 1 }
                for await _ in stream {}
            }
        }
        let request = HTTPRequest(method: "GET", target: "/dashboard", headers: HeaderFields([("Host", "localhost:7070"), ("Cookie", cookie)]))
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<DashboardDoor.concurrencyLimit {
                group.addTask { await door.answer(request, body: [], peer: nil).status }
            }
            try? await eventually("all are being made") { waiting.withLock { $0 } == DashboardDoor.concurrencyLimit }
            let refused = await door.answer(request, body: [], peer: nil)
            #expect(refused.status == 503 && refused.headers["Retry-After"] == "1")
            gate.finish()
            for await status in group { #expect(status == 200) }
        }
        #expect(await door.answer(request, body: [], peer: nil).status == 200)
    }

    @Test func `a failure says why, with the status that fits`() async throws {
        let browser = Browser()
        try await browser.logIn()
        browser.source.state.withLock { $0.failure = DashboardFailure(.notFound, "There is no container x.") }
        let answer = await browser.ask("/workloads/container/x")
        #expect(answer.status == 404 && String(decoding: answer.body, as: UTF8.self).contains("There is no container x."))
        #expect(await browser.ask("/workloads/planet/x").status == 404)
    }

    @Test func `nodes at two ports do not log each other's browsers out`() {
        func name(_ host: String) -> String {
            DashboardDoor.cookieName(HTTPRequest(method: "GET", target: "/", headers: HeaderFields([("Host", host)])))
        }
        #expect(name("127.0.0.1:7070") == "forkless_session_7070")
        #expect(name("[::1]:7071") == "forkless_session_7071")
        #expect(name("[::1]") == "forkless_session_80" && name("localhost") == "forkless_session_80")
    }
}

@Suite struct DashboardTokenTests {
    @Test func `the token is made once, for its owner alone`() throws {
        let state = try TemporaryDirectory("token")
        let token = try DashboardToken.open(state: state.path)
        #expect(try DashboardToken.open(state: state.path).text == token.text)
        #expect(try Files.status(DashboardToken.path(state: state.path)).permissions == 0o600)
        #expect(token.matches(token.text) && !token.matches("") && !token.matches(token.text + "x"))
    }

    @Test func `a token that others can read is refused`() throws {
        let state = try TemporaryDirectory("token")
        _ = try DashboardToken.open(state: state.path)
        try Files.setPermissions(DashboardToken.path(state: state.path), 0o640)
        #expect(throws: DashboardFailure.self) { try DashboardToken.open(state: state.path) }
    }

    @Test(arguments: ["", "short", "\n\n"])
    func `a token that is too short is refused`(_ text: String) throws {
        let state = try TemporaryDirectory("token")
        try Files.replace(DashboardToken.path(state: state.path), with: Array(text.utf8), mode: 0o600)
        #expect(throws: DashboardFailure.self) { try DashboardToken.open(state: state.path) }
    }
}
