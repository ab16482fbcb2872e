import HTTPServing
import Linux
import NodeLogs
import Traces

/// The gateway on one loop: routes each request and passes it on. Confined to the loop, but for the snapshot.
///
/// Invariants
/// 1. A request is led by what the cluster said when it came; whether a server may be asked is looked at again for each
///    try. (test: `a pod that is withdrawn gets no more requests`)
/// 2. Requests that wait for a first server are bounded in number and time.
///    (test: `requests wait for the first server of a service at zero`)
/// 3. What a client says of its own address is not believed. (tests: `the server learns who asked, and by which way`,
///    `what a client says of its own address is said nowhere`)
final class GatewayLoop: HTTPService {
    private let gateway: IngressGateway
    private let loop: ServingLoop
    private let pool: UpstreamPool
    private let isTLS: Bool
    private var turn = 0
    private var waiting: [IngressBackend: [Waiter]] = [:]
    private var waitingCount = 0
    private var chance = SystemRandomNumberGenerator()

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
        guard let place = RequestPlace(request) else { return refuse(exchange, 400) }
        let snapshot = gateway.snapshot
        if !isTLS, gateway.hasTLS, snapshot.table.redirects(host: place.host) {
            let path = place.target.hasPrefix("/") ? place.target : "/"
            return refuse(exchange, GatewayPages.redirect(to: "https://\(place.host)\(gateway.tlsPortSuffix)\(path)"))
        }
        let onward = onward(exchange, place)
        guard let route = snapshot.table.route(host: place.host, path: RequestPath.normal(onward.rawPath)) else {
            return refuse(exchange, 404)
        }
        guard let backend = snapshot.backends[route.backend] else { return refuse(exchange, 503) }
        if let function = backend.function {
            return call(function, exchange, onward, route.backend.service, GatewayLine(gateway, exchange, place, onward))
        }
        return forward(exchange, place, onward, route.backend)
    }

    private func refuse(_ exchange: any HTTPExchange, _ status: Int) -> BodyReading {
        refuse(exchange, GatewayPages.page(status))
    }

    private func refuse(_ exchange: any HTTPExchange, _ response: HTTPResponse) -> BodyReading {
        exchange.respond(response)
        return .whole(limit: 0) { _ in }
    }

    // MARK: Where to

    private func forward(
        _ exchange: any HTTPExchange, _ place: RequestPlace, _ request: HTTPRequest, _ backend: IngressBackend
    ) -> BodyReading {
        let (begin, loads) = (ContinuousClock.now, gateway.loads)
        var request = request
        // A function's call begins at the function's door, which knows whether it is traced.
        let trace = TraceContext(
            after: request.headers.traceCarrier, seconds: Clock.now().nanoseconds / 1_000_000_000, &chance)
        request.headers.setTrace(trace)
        let line = GatewayLine(gateway, exchange, place, request, trace)
        let asked = AskedServer(gateway.servers)
        loads.began(backend.service)
        var plan = HTTPForward.Plan(
            request: request, upgrade: HopByHop.upgrade(in: exchange.request.headers),
            server: { tried, found in
                asked.move(to: nil)
                self.find(backend, tried) { server in
                    asked.move(to: server)
                    found(server)
                }
            }, apology: GatewayPages.page,
            onEnd: { outcome in
                asked.end()
                loads.ended(backend.service, status: outcome.status, after: .now - begin)
                line?.end(backend.service, status: outcome.status, server: outcome.server, after: .now - begin)
            })
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
        _ function: String, _ exchange: any HTTPExchange, _ request: HTTPRequest, _ service: ServiceName,
        _ line: GatewayLine?
    ) -> BodyReading {
        guard let functions = gateway.settings.functions else { return refuse(exchange, 503) }
        let (loads, begin, client) = (gateway.loads, ContinuousClock.now, exchange.peerAddress)
        loads.began(service)
        return .whole(limit: gateway.settings.functionBodyLimit) { body in
            let bound = LoopBound(exchange, on: exchange.loop)
            Task {
                let response = await functions.call(function, request, body: body, client: client)
                loads.ended(service, status: response.status, after: .now - begin)
                line?.end(service, function: function, response, after: .now - begin)
                bound.loop.execute { bound.value.respond(response) }
            }
        }
    }

    // MARK: What is passed on

    /// The request with the fields that ingress-nginx adds. What the client says of itself is replaced.
    private func onward(_ exchange: any HTTPExchange, _ place: RequestPlace) -> HTTPRequest {
        var request = exchange.request
        request.target = place.target
        request.headers = HopByHop.passed(request.headers)
        request.headers.fields.removeAll { ForwardedFields.isOne($0.name) }
        request.headers["expect"] = nil
        request.headers["host"] = place.authority
        let client = exchange.peerAddress
        let scheme = isTLS ? "https" : "http"
        for (name, value) in [
            ("X-Forwarded-For", client), ("X-Real-IP", client), ("X-Forwarded-Host", place.authority),
            ("X-Forwarded-Proto", scheme), ("X-Forwarded-Scheme", scheme), ("X-Scheme", scheme),
            ("X-Forwarded-Port", "\(isTLS ? gateway.tlsPort : gateway.plainPort)"),
        ] { request.headers[name] = value }
        let given = request.headers["x-request-id"].flatMap { RequestID.isAcceptable($0) ? $0 : nil }
        let milliseconds = UInt64(max(Clock.now().nanoseconds, 0)) / 1_000_000
        request.headers["X-Request-ID"] = given ?? RequestID.drawn(milliseconds: milliseconds, &chance)
        return request
    }
}
