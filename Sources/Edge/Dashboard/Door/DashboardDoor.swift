package import HTTPServing
package import Linux
import Synchronization

/// Answers the requests to the dashboard: who may see it, which page it is, what is to be done.
///
/// Invariants (tests in DashboardDoorTests)
/// 1. Without a session or the token nothing is told and nothing is done. (`without a session every page asks for one`)
/// 2. What changes something was made by our own form, in this session. (`a form without the session's token does nothing`)
/// 3. No private page is kept by a browser or on the way. (`private pages are not kept`)
/// 4. However many ask at once, only so many pages are made at a time. (`more requests than can be served are told to come again`)
package final class DashboardDoor: Sendable {
    /// Of a form, bytes.
    package static let bodyLimit = 16 << 10
    /// Pages that are made at a time.
    static let concurrencyLimit = 16

    private struct State: Sendable {
        var sessions = SessionTable()
        var attempts = LoginLimit()
        var underWay = 0
    }

    let source: any DashboardSource
    private let token: DashboardToken
    private let now: @Sendable () -> Timestamp
    private let state = Mutex(State())

    package init(
        _ source: any DashboardSource, token: DashboardToken, now: @escaping @Sendable () -> Timestamp = { Clock.now() }
    ) {
        self.source = source
        self.token = token
        self.now = now
    }

    /// An address, below the node's, with which a person's browser logs in once within five minutes.
    package func loginPath() -> String {
        let ticket = Secret.random()
        state.withLock { $0.sessions.issueTicket(ticket, now: now()) }
        return Place(["login"], query: [("ticket", ticket)]).text
    }

    /// Who asks.
    struct Visitor: Sendable {
        /// The session's id; nil for a script with the token.
        var session: String?
        var surroundings: PageSurroundings
        /// Whether the live part of a page is wanted alone.
        var wantsPart = false
        var isScript: Bool { session == nil }
    }

    /// - Parameter peer: the client's address; nil when it is not known to be another machine's.
    package func answer(_ request: HTTPRequest, body: [UInt8], peer: String?) async -> HTTPResponse {
        if let refusal = RequestCheck.refusal(of: request, peer: peer) {
            return self.page(.problem(refusal.title, refusal.sentence), PageSurroundings(formToken: nil, now: now()), refusal.status)
        }
        guard let path = Self.segments(request.rawPath), let query = Place.pairs(request.rawQuery) else {
            return problem(400, "Not understood", "The address of this request is broken.")
        }
        if path.count == 1, let asset = Assets.named(path[0]), request.method != "POST" { return asset.response }
        if path == ["login"] { return logIn(request, query, body) }
        guard let visitor = visitor(request) else { return refuse(request) }
        guard state.withLock({ state in
            guard state.underWay < Self.concurrencyLimit else { return false }
            state.underWay += 1
            return true
        }) else {
            var response = problem(503, "Too busy", "The dashboard makes \(Self.concurrencyLimit) pages at a time, and more were asked for. Try again in a second.")
            response.headers["Retry-After"] = "1"
            return response
        }
        defer { state.withLock { $0.underWay -= 1 } }
        if request.method == "POST" { return await change(path, body, visitor) }
        do throws(DashboardFailure) {
            return try await show(path, query, visitor)
        } catch { return failure(error, visitor) }
    }

    /// The parts of the path below the root; nil when it is broken.
    private static func segments(_ path: Substring) -> [String]? {
        guard path.hasPrefix(Place.root) else { return nil }
        var segments: [String] = []
        for part in path.dropFirst(Place.root.count).split(separator: "/") {
            guard let segment = Place.decoded(part), segments.count < 8 else { return nil }
            segments.append(segment)
        }
        return segments
    }

    // MARK: Who asks

    private func visitor(_ request: HTTPRequest) -> Visitor? {
        let time = now()
        let wantsPart = request.headers["Forkless-Part"] == "live"
        if let presented = Self.bearer(request) {
            guard mayTry() else { return nil }
            guard token.matches(presented) else {
                state.withLock { $0.attempts.failed() }
                return nil
            }
            return Visitor(session: nil, surroundings: PageSurroundings(formToken: "", now: time), wantsPart: wantsPart)
        }
        guard let id = Self.cookie(request) else { return nil }
        let session = state.withLock { state -> SessionTable.Session? in
            let session = state.sessions.use(id, now: time)
            // Shown once, with a whole page.
            if !wantsPart, request.method == "GET" { state.sessions.setNotice(nil, of: id) }
            return session
        }
        guard let session else { return nil }
        return Visitor(
            session: id, surroundings: PageSurroundings(formToken: session.formToken, notice: wantsPart ? nil : session.notice, now: time),
            wantsPart: wantsPart)
    }

    private static func bearer(_ request: HTTPRequest) -> String? {
        guard let field = request.headers["Authorization"], field.lowercased().hasPrefix("bearer ") else { return nil }
        return String(field.dropFirst(7).drop { $0 == " " })
    }

    /// Cookies know no ports: nodes at several ports of one machine have names of their own.
    static func cookieName(_ request: HTTPRequest) -> String {
        let host = request.headers["Host"] ?? ""
        let port = host.last == "]" ? "" : host.split(separator: ":").last.flatMap { UInt16($0) }.map { "\($0)" } ?? ""
        return "forkless_session_" + (port.isEmpty ? "80" : port)
    }

    private static func cookie(_ request: HTTPRequest) -> String? {
        let name = cookieName(request)
        for field in request.headers.fields where HeaderFields.areEqual(field.name, "cookie") {
            for pair in field.value.split(separator: ";") {
                let sides = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
                if sides.count == 2, sides[0] == name { return String(sides[1]) }
            }
        }
        return nil
    }

    private func mayTry() -> Bool {
        state.withLock { $0.attempts.allows(nowNanoseconds: now().nanoseconds) }
    }

    private func refuse(_ request: HTTPRequest) -> HTTPResponse {
        let wasTried = Self.bearer(request) != nil
        if wasTried, !mayTry() { return tooMany() }
        var response = page(
            .login(problem: wasTried ? "This is not the token." : nil), PageSurroundings(formToken: nil, now: now()), 401)
        response.headers["WWW-Authenticate"] = "Bearer realm=\"forkless dashboard\""
        return response
    }

    private func tooMany() -> HTTPResponse {
        var response = problem(
            429, "Too many attempts", "Wrong tokens were tried too often. Wait some seconds, or run `forkless dashboard`: its address works at any time.")
        response.headers["Retry-After"] = "3"
        return response
    }

    // MARK: Logging in and out

    private func logIn(_ request: HTTPRequest, _ query: [String: String], _ body: [UInt8]) -> HTTPResponse {
        if request.method == "POST" {
            guard mayTry() else { return tooMany() }
            let presented = Place.pairs(Substring(decoding: body, as: UTF8.self))?["token"] ?? ""
            guard token.matches(presented) else {
                state.withLock { $0.attempts.failed() }
                return page(.login(problem: "This is not the token."), PageSurroundings(formToken: nil, now: now()), 401)
            }
            return begin(request)
        }
        guard let ticket = query["ticket"] else { return page(.login(), PageSurroundings(formToken: nil, now: now())) }
        // A browser that only looks ahead must not use it up.
        guard request.method == "GET" else { return page(.login(), PageSurroundings(formToken: nil, now: now())) }
        guard state.withLock({ $0.sessions.useTicket(ticket, now: now()) }) else {
            return page(
                .login(problem: "This address was used already, or is older than five minutes. Run `forkless dashboard` again."),
                PageSurroundings(formToken: nil, now: now()), 401)
        }
        return begin(request)
    }

    private func begin(_ request: HTTPRequest) -> HTTPResponse {
        let id = Secret.random()
        state.withLock { $0.sessions.begin(id, formToken: Secret.random(), now: now()) }
        var response = page(.loggedIn(), PageSurroundings(formToken: nil, now: now()))
        response.headers["Set-Cookie"] = "\(Self.cookieName(request))=\(id); Path=\(Place.root); HttpOnly; SameSite=Strict"
        return response
    }

    // MARK: Changing

    private func change(_ path: [String], _ body: [UInt8], _ visitor: Visitor) async -> HTTPResponse {
        guard let fields = Place.pairs(Substring(decoding: body, as: UTF8.self)) else {
            return problem(400, "Not understood", "The form is broken.")
        }
        if let token = visitor.surroundings.formToken, !visitor.isScript, !Secret.areEqual(token, fields["form"] ?? "") {
            return problem(403, "Not from this session", "This form belongs to another session, so that nothing was done. Reload the page and try again.")
        }
        switch path {
        case ["logout"]:
            if let session = visitor.session { state.withLock { $0.sessions.end(session) } }
            return page(.login(problem: nil), PageSurroundings(formToken: nil, now: now()))
        case ["do"]:
            guard let action = DashboardAction(fields), action.isComplete else {
                return problem(400, "Not understood", "The form names no action that the dashboard knows.")
            }
            return await perform(action, visitor)
        default: return problem(405, "Not like that", "Nothing is changed at this address.")
        }
    }

    private func perform(_ action: DashboardAction, _ visitor: Visitor) async -> HTTPResponse {
        var notice: PageSurroundings.Notice
        var status = 200
        do throws(DashboardFailure) {
            notice = PageSurroundings.Notice(try await source.perform(action), isFailure: false)
        } catch {
            notice = PageSurroundings.Notice(error.description, isFailure: true)
            status = error.status
        }
        guard let session = visitor.session else {
            // A script: what happened, as text, and whether.
            var response = HTTPResponse.plain(status, notice.text)
            dress(&response)
            return response
        }
        state.withLock { $0.sessions.setNotice(notice, of: session) }
        // The page that a reload shows again does nothing.
        var response = HTTPResponse(303, headers: HeaderFields([("Location", action.returnsTo.text)]))
        dress(&response)
        return response
    }

    // MARK: Answers

    func problem(_ status: Int, _ title: String, _ sentence: String) -> HTTPResponse {
        page(.problem(title, sentence), PageSurroundings(formToken: nil, now: now()), status)
    }

    private func failure(_ failure: DashboardFailure, _ visitor: Visitor) -> HTTPResponse {
        let title = failure.kind == .notFound ? "Not here" : "This page cannot be shown"
        return page(.problem(title, failure.description), visitor.surroundings, failure.status)
    }

    func page(_ page: Page, _ surroundings: PageSurroundings, _ status: Int = 200) -> HTTPResponse {
        html(page.document(surroundings), status)
    }

    func html(_ bytes: [UInt8], _ status: Int = 200, policy: String = SecurityHeaders.policy) -> HTTPResponse {
        var response = HTTPResponse(status, headers: HeaderFields([("Content-Type", "text/html; charset=utf-8")]), body: bytes)
        dress(&response, policy: policy)
        return response
    }

    private func dress(_ response: inout HTTPResponse, policy: String = SecurityHeaders.policy) {
        response.headers["Cache-Control"] = "no-store"
        SecurityHeaders.add(to: &response.headers, policy: policy)
    }
}

extension DashboardAction {
    /// Whether there is nothing left for a person to say.
    var isComplete: Bool {
        if case .provision(_, _, nil) = self { return false }
        return true
    }
}
