import ExecDoor
import JSON
import Lambda
import LambdaAPI
import Metering
import Store

/// Shifts over HTTP, at RUN/lambda.sock:
///
/// - `GET shifts`, `GET shifts/SHIFT`: where they stand.
/// - `POST shifts` with a specification: begins one, or lets the one of that program go on so.
/// - `POST shifts/SHIFT/pause` (with `{"unmount": true}`: without the shim), `.../resume`, `.../rollback`.
/// - `GET shifts/SHIFT/history?limit=`, `GET shifts/SHIFT/report?from=&to=&by=`: what happened, and what calls took before and after.
///
/// SHIFT is a shift's name or the path of its program.
struct ShiftExtension: DoorExtension {
    /// Of a history.
    private static let historyLimit = 10_000

    let name = "shifts"
    let desk: Result<ShiftDesk, ShiftProblem>
    let database: StateDatabase
    let prices: @Sendable () throws(PriceBookError) -> PriceBook

    func serve(_ request: DoorRequest) {
        do throws(LambdaFailure) {
            let desk = try opened()
            switch (request.method, request.path.count, request.path.last ?? "") {
            case ("GET", 0, _): try list(request, desk)
            case ("POST", 0, _): try begin(request, desk)
            case ("GET", 1, let shift): try show(shift, request, desk)
            case ("GET", 2, "history"): try history(request, desk)
            case ("GET", 2, "report"): try report(request, desk)
            case ("POST", 2, "pause"), ("POST", 2, "resume"), ("POST", 2, "rollback"): try ask(request, desk)
            default: request.respondUnknown()
            }
        } catch { request.respond(.failure(error)) }
    }

    private func opened() throws(LambdaFailure) -> ShiftDesk {
        do { return try desk.get() } catch { throw LambdaFailure(error) }
    }

    private func list(_ request: DoorRequest, _ desk: ShiftDesk) throws(LambdaFailure) {
        try request.allowQuery()
        request.respond(.success(["shifts": .array(desk.book.entries.map { Self.json($0, desk) })]))
    }

    private static func json(_ entry: ShiftBook.Entry, _ desk: ShiftDesk) -> JSONValue {
        var json = entry.state.json
        json["target"]?["histogram"] = nil
        json["original"]?["histogram"] = nil
        json["shadow"]?["histogram"] = nil
        json["decided"] = nil
        json["file"] = entry.mounted.map { .string($0.file.path) }
        json["originalAt"] = entry.mounted.map { .string($0.originalPath) }
        json["unwritten"] = desk.journal.failure.map { .string("\($0)") }
        return json
    }

    private func begin(_ request: DoorRequest, _ desk: ShiftDesk) throws(LambdaFailure) {
        try request.allowQuery()
        let body = try Self.object(request)
        request.respondJSON { () async throws(LambdaFailure) in
            do throws(ShiftProblem) {
                let (state, remarks) = try await desk.begin(try ShiftSpec(json: body))
                guard let entry = desk.book.entry(state.id) else {
                    throw ShiftProblem(.notFound, "the shift has ended already")
                }
                return ["shift": Self.json(entry, desk), "remarks": .array(remarks.map { .string($0) })]
            } catch { throw LambdaFailure(error) }
        }
    }

    private func ask(_ request: DoorRequest, _ desk: ShiftDesk) throws(LambdaFailure) {
        try request.allowQuery()
        let id = try Self.find(request.path[0], desk).state.id
        let verb = try Self.verb(request)
        request.respondJSON { () async throws(LambdaFailure) in
            do throws(ShiftProblem) {
                let state = try await desk.ask(id, verb)
                guard let entry = desk.book.entry(state.id) else {
                    throw ShiftProblem(.notFound, "the shift has ended already")
                }
                return ["shift": Self.json(entry, desk)]
            } catch { throw LambdaFailure(error) }
        }
    }

    private static func verb(_ request: DoorRequest) throws(LambdaFailure) -> ShiftVerb {
        let body: JSONValue = request.body.isEmpty ? [:] : try object(request)
        do throws(JSONShapeError) {
            var reader = try JSONObjectReader(body)
            var unmounts = false
            if request.path[1] == "pause" { unmounts = try reader.optional("unmount") ?? false }
            try reader.refuseUnknown()
            switch request.path[1] {
            case "pause": return .pause(unmounts: unmounts)
            case "resume": return .resume
            default: return .rollback
            }
        } catch { throw .invalidParameter("\(error)") }
    }

    private func show(_ shift: String, _ request: DoorRequest, _ desk: ShiftDesk) throws(LambdaFailure) {
        try request.allowQuery()
        request.respond(.success(["shift": Self.json(try Self.find(shift, desk), desk)]))
    }

    private func history(_ request: DoorRequest, _ desk: ShiftDesk) throws(LambdaFailure) {
        try request.allowQuery("limit")
        let id = try Self.find(request.path[0], desk).state.id
        let limit = try request.number("limit", 1...Self.historyLimit) ?? 100
        request.respondJSON { () async throws(LambdaFailure) in
            do throws(StoreFailure) {
                return ["history": .array(try await desk.journal.history(of: id, limit: limit).map(\.json))]
            } catch { throw .service("\(error)") }
        }
    }

    private func report(_ request: DoorRequest, _ desk: ShiftDesk) throws(LambdaFailure) {
        try request.allowQuery("from", "to", "by")
        let entry = try Self.find(request.path[0], desk)
        let (from, to) = (try Self.day("from", request), try Self.day("to", request))
        let byDay = try Self.isByDay(request)
        let (database, prices) = (database, prices)
        request.respondJSON { () async throws(LambdaFailure) in
            do {
                var report = try await Report.make(
                    database, from: from, to: to, by: [.function] + (byDay ? [.day] : []) + [.version],
                    prices: try prices())
                report.rows = report.rows.filter { $0.labels[0] == ShiftLedger.functionName(of: entry.state.id) }
                var json = report.json
                json["total"] = nil
                json["shift"] = Self.json(entry, desk)
                return json
            } catch { throw .service("\(error)") }
        }
    }

    private static func isByDay(_ request: DoorRequest) throws(LambdaFailure) -> Bool {
        switch request.query["by"] {
        case nil: return false
        case "day"?: return true
        case let other?: throw .invalidParameter("The parameter by is '\(other.prefix(64))'; it can only be day.")
        }
    }

    private static func day(_ name: String, _ request: DoorRequest) throws(LambdaFailure) -> Day? {
        guard let text = request.query[name] else { return nil }
        guard let day = Day(text) else {
            throw .invalidParameter(
                "The parameter \(name) is '\(text.prefix(64))'; it must be a day such as 2026-11-23.")
        }
        return day
    }

    private static func object(_ request: DoorRequest) throws(LambdaFailure) -> JSONValue {
        do throws(JSONError) { return try JSONParser.parse(request.body) } catch {
            throw .invalidParameter("The body is not JSON: \(error)")
        }
    }

    private static func find(_ shift: String, _ desk: ShiftDesk) throws(LambdaFailure) -> ShiftBook.Entry {
        if let entry = desk.book.entry(shift) { return entry }
        let entries = desk.book.entries
        let found = entries.first { $0.mounted?.file.path == shift || $0.state.spec.program == shift }
        if let found { return found }
        let names = entries.map(\.state.id).joined(separator: ", ")
        throw LambdaFailure(
            "ResourceNotFoundException", status: 404,
            "There is no shift \(shift.prefix(256)) on this node" + (names.isEmpty ? "." : ", only \(names)."))
    }
}

extension LambdaFailure {
    /// As the resources of a node say it.
    init(_ problem: ShiftProblem) {
        let (name, status) =
            switch problem.kind {
            case .invalid, .unsupported: ("InvalidParameterValueException", 400)
            case .conflict: ("ResourceConflictException", 409)
            case .notFound: ("ResourceNotFoundException", 404)
            case .system: ("ServiceException", 500)
            }
        self.init(name, status: status, problem.description)
    }
}
