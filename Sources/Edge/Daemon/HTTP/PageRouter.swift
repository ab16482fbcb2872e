import HTTPServing
import Linux

/// What is served at the node's HTTP address: sites by what they own, pages by path. One on each loop.
///
/// Invariants
/// 1. A request that names somebody else's host reaches sites and never a page.
///    (test: `a request that names somebody else's host is refused with a sentence`)
/// 2. Of the pages that a path is in, the one with the longest path answers, an exact one before all.
///    (test: `the page with the longest path answers`)
final class PageRouter: HTTPService {
    /// What the routers of all loops have in common.
    struct Table: Sendable {
        var sites: [NodeSite]
        var exact: [String: Int] = [:]
        /// Longest first.
        var below: [(path: String, page: Int)] = []
        var pages: [NodePage]
        var rule: HostRule

        /// Two pages at one path are a programmer error.
        init(sites: [NodeSite], pages: [NodePage], rule: HostRule) {
            self.sites = sites
            self.pages = pages
            self.rule = rule
            for (index, page) in pages.enumerated() {
                switch page.path {
                case .exactly(let path):
                    precondition(exact.updateValue(index, forKey: path) == nil, "two pages at \(path)")
                case .below(let path):
                    precondition(!below.contains { $0.path == path }, "two pages at \(path)")
                    below.append((path, index))
                }
            }
            below.sort { $0.path.utf8.count > $1.path.utf8.count }
        }

        /// The page at a path, as it came: percent-encoded paths are no page's.
        func page(at path: String) -> Int? {
            exact[path]
                ?? below.first { path == $0.path || path.hasPrefix($0.path == "/" ? "/" : $0.path + "/") }?.page
        }
    }

    private let table: Table
    private let loop: ServingLoop
    private var siteServices: [Int: any HTTPService] = [:]
    private var pageServices: [Int: any HTTPService] = [:]

    init(_ table: Table, on loop: ServingLoop) {
        self.table = table
        self.loop = loop
    }

    func receive(_ exchange: any HTTPExchange) -> BodyReading {
        let request = exchange.request
        switch found(request) {
        case .success(let service): return service.receive(exchange)
        case .failure(let refusal):
            exchange.respond(refusal.response)
            return .whole(limit: 0) { _ in }
        }
    }

    func answerToLongBody(of request: HTTPRequest, limit: Int) -> HTTPResponse {
        switch found(request) {
        case .success(let service): service.answerToLongBody(of: request, limit: limit)
        case .failure(let refusal): refusal.response
        }
    }

    private struct Refusal: Error { var response: HTTPResponse }

    private func found(_ request: HTTPRequest) -> Result<any HTTPService, Refusal> {
        if let site = table.sites.firstIndex(where: { $0.owns(request) }) {
            if let service = siteServices[site] { return .success(service) }
            let service = table.sites[site].service(loop)
            siteServices[site] = service
            return .success(service)
        }
        let hosts = request.headers.fields.filter { HeaderFields.areEqual($0.name, "host") }
        guard hosts.count == 1, table.rule.allows(hosts[0].value) else {
            return .failure(Refusal(response: .plain(403, Self.sentence(hosts.first?.value))))
        }
        guard let page = table.page(at: String(request.rawPath)) else {
            return .failure(Refusal(response: .plain(404, "This node has no such page.")))
        }
        if let service = pageServices[page] { return .success(service) }
        let service = table.pages[page].service(loop)
        pageServices[page] = service
        return .success(service)
    }

    private static func sentence(_ host: String?) -> String {
        "The pages of a node are served to requests that name this machine: use http://localhost, an address of the loopback "
            + "interface, or the address that --http-listen names"
            + (host == nil ? " (this request names no host)." : ", and not another name for it.")
    }
}
