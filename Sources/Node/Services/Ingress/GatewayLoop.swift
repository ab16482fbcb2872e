import HTTPServing
import Linux

/// The gateway on one loop: routes each request and passes it on. Confined to the loop, but for the snapshot.
///
/// Invariants
/// 1. A request is led by what the cluster said when it came; whether a server may be asked is looked at again for each
///    try. (test: `a pod that is withdrawn gets no more requests`)
/// 2. Requests that wait for a first server are bounded in number and time.
///    (test: `requests wait for the first server of a service at zero`)
/// 3. What a client says of its own address is not believed. (test: `the server learns who asked, and by which way`)
final class GatewayLoop: HTTPService {
    private let gateway: IngressGateway
    private let loop: ServingLoop
    private let pool: UpstreamPool
    private let isTLS: Bool
    private var turn = 0
    private var waiting: [IngressBackend: [Waiter]] = [:]
    private var waitingCount = 0

    private final class Waiter {
        let found: (HTTPAddress?) -> Void
        var timer: ScheduledWork?
        init(_ found: @escaping (HTTPAddress?) -> Void) { self.found = found }
    }

    init(_ gateway: IngressGateway, _ loop: ServingLoop, isTLS: Bool) {
        self.gateway = gateway
        self.loop = loop
        self.isTLS = isTLS
        pool = UpstreamPool(loop)
    }

    func receive(_ exchange: any HTTPExchange) -> BodyReading {
        let request = exchange.request
        guard let authority = Self.authority(request) else { return refuse(exchange, 400) }
        let host = Self.host(authority)
        let snapshot = gateway.snapshot
        if !isTLS, gateway.hasTLS, snapshot.table.redirects(host: host) {
            let place = "https://\(host)\(gateway.tlsPortSuffix)\(request.target.hasPrefix("/") ? request.target : "/")"
            return refuse(exchange, GatewayPages.redirect(to: place))
        }
        guard let route = snapshot.table.route(host: host, path: RequestPath.normal(request.rawPath)) else {
            return refuse(exchange, 404)
        }
        guard let backend = snapshot.backends[route.backend] else { return refuse(exchange, 503) }
        let onward = onward(exchange, authority)
        if let function = backend.function { return call(function, exchange, onward, route.backend.service) }
        return forward(exchange, onward, route.backend)
    }

    private func refuse(_ exchange: any HTTPExchange, _ status: Int) -> BodyReading {
        refuse(exchange, GatewayPages.page(status))
    }

    private func refuse(_ exchange: any HTTPExchange, _ response: HTTPResponse) -> BodyReading {
        exchange.respond(response)
        return .whole(limit: 0) { _ in }
    }

    // MARK: Where to

    private func forward(_ exchange: any HTTPExchange, _ request: HTTPRequest, _ backend: IngressBackend) -> BodyReading {
        let (begin, loads) = (ContinuousClock.now, gateway.loads)
        loads.began(backend.service)
        var plan = HTTPForward.Plan(
            request: request, upgrade: HopByHop.upgrade(in: exchange.request.headers),
            server: { self.find(backend, $0, $1) }, apology: GatewayPages.page,
            onEnd: { loads.ended(backend.service, status: $0.status, after: .now - begin) })
        plan.connectTimeout = gateway.settings.connectTimeout
        plan.readTimeout = gateway.settings.readTimeout
        return HTTPForward(exchange, plan, pool).start()
    }

    /// One after the other, beginning anywhere.
    private func find(_ backend: IngressBackend, _ tried: Set<HTTPAddress>, _ found: @escaping (HTTPAddress?) -> Void) {
        guard let known = gateway.snapshot.backends[backend] else { return found(nil) }
        let servers = known.servers.filter { !tried.contains($0) }
        if !servers.isEmpty {
            turn &+= 1
            return found(servers[turn % servers.count])
        }
        guard tried.isEmpty, known.mayWait, waitingCount < gateway.settings.waitingLimit else { return found(nil) }
        wait(for: backend, found)
    }

    private func wait(for backend: IngressBackend, _ found: @escaping (HTTPAddress?) -> Void) {
        let waiter = Waiter(found)
        waiting[backend, default: []].append(waiter)
        waitingCount += 1
        gateway.loads.waits(backend.service, 1)
        let own = LoopBound((self, waiter), on: loop)
        waiter.timer = loop.schedule(after: gateway.settings.waitingTime) {
            let (own, waiter) = own.value
            own.waiting[backend]?.removeAll { $0 === waiter }
            own.release(waiter, backend, nil)
        }
        gateway.demand(backend.service)
    }

    private func release(_ waiter: Waiter, _ backend: IngressBackend, _ server: HTTPAddress?) {
        waiter.timer?.cancel()
        waitingCount -= 1
        gateway.loads.waits(backend.service, -1)
        waiter.found(server)
    }

    /// The cluster has changed.
    func look() {
        let snapshot = gateway.snapshot
        let servers = snapshot.servers
        pool.keep { servers.contains($0) }
        for (backend, waiters) in waiting {
            guard let known = snapshot.backends[backend], known.mayWait || !known.servers.isEmpty else {
                waiting[backend] = nil
                for waiter in waiters { release(waiter, backend, nil) }
                continue
            }
            guard !known.servers.isEmpty else { continue }
            waiting[backend] = nil
            for waiter in waiters {
                turn &+= 1
                release(waiter, backend, known.servers[turn % known.servers.count])
            }
        }
    }

    func close() {
        pool.closeAll()
        for (backend, waiters) in waiting { for waiter in waiters { release(waiter, backend, nil) } }
        waiting = [:]
    }

    // MARK: Functions

    private func call(
        _ function: String, _ exchange: any HTTPExchange, _ request: HTTPRequest, _ service: ServiceName
    ) -> BodyReading {
        guard let functions = gateway.settings.functions else { return refuse(exchange, 503) }
        let (loads, begin, client) = (gateway.loads, ContinuousClock.now, exchange.peerAddress)
        loads.began(service)
        return .whole(limit: gateway.settings.functionBodyLimit) { body in
            let bound = LoopBound(exchange, on: exchange.loop)
            Task {
                let response = await functions.call(function, request, body: body, client: client)
                loads.ended(service, status: response.status, after: .now - begin)
                bound.loop.execute { bound.value.respond(response) }
            }
        }
    }

    // MARK: What is passed on

    /// The request with the fields that ingress-nginx adds. What the client says of itself is replaced.
    private func onward(_ exchange: any HTTPExchange, _ authority: String) -> HTTPRequest {
        var request = exchange.request
        request.headers = HopByHop.passed(request.headers)
        request.headers["expect"] = nil
        let client = exchange.peerAddress
        let scheme = isTLS ? "https" : "http"
        for (name, value) in [
            ("X-Forwarded-For", client), ("X-Real-IP", client), ("X-Forwarded-Host", authority), ("X-Forwarded-Proto", scheme),
            ("X-Forwarded-Scheme", scheme), ("X-Scheme", scheme), ("X-Forwarded-Port", "\(isTLS ? gateway.tlsPort : gateway.plainPort)"),
        ] { request.headers[name] = value }
        if request.headers["x-request-id"] == nil {
            let random = (0..<2).map { _ in String(UInt64.random(in: 1 << 60...UInt64.max), radix: 16) }
            request.headers["X-Request-ID"] = random.joined()
        }
        return request
    }

    /// Whom a request is for: of the target in its absolute form, else of the field Host. One, and not more.
    private static func authority(_ request: HTTPRequest) -> String? {
        let hosts = request.headers.fields.filter { HeaderFields.areEqual($0.name, "host") }
        guard hosts.count <= 1 else { return nil }
        guard let host = hosts.first?.value, !host.isEmpty else { return nil }
        return host
    }

    /// In small letters, without port and the dot at the end.
    private static func host(_ authority: String) -> String {
        var host = authority.lowercased()[...]
        if host.hasPrefix("[") { return String(host.prefix { $0 != "]" }) + "]" }
        if let colon = host.lastIndex(of: ":") { host = host[..<colon] }
        if host.hasSuffix(".") { host = host.dropLast() }
        return String(host)
    }
}
