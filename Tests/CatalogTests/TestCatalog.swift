@testable import Catalog
import JSON
import Lambda
import Linux
import Store
import Synchronization
import TestKit
import Testing

/// A catalogue in a directory of its own, which can be closed and opened again.
final class TestCatalog: Sendable {
    static let role = "arn:aws:iam::000000000000:role/any"
    static let settings = CatalogSettings(architecture: "x86_64", memoryMB: 8192, pythons: ["python3.11"])

    let directory: TemporaryDirectory
    let catalog: FunctionCatalog
    private let database: StateDatabase

    init(_ directory: TemporaryDirectory? = nil, settings: CatalogSettings = TestCatalog.settings, images: any LocalImages = NoImages())
        async throws
    {
        self.directory = try directory ?? TemporaryDirectory("catalog")
        database = try StateDatabase(path: self.directory.path("node.db"), migrations: CatalogTables.migrations)
        catalog = try await FunctionCatalog.open(
            database, directory: self.directory.path("functions"), settings: settings, images: images)
    }

    func close() async { await database.close() }

    /// The body of the answer.
    @discardableResult
    func perform(
        _ operation: LambdaOperation, _ path: [String: String] = [:], query: [(name: String, value: String)] = [],
        _ body: JSONValue = .null
    ) async throws(LambdaFailure) -> JSONValue {
        let output = try await catalog.perform(operation, OperationInput(path: path, query: query, body: body))
        #expect(output.status == operation.status)
        return output.body ?? .null
    }

    @discardableResult
    func on(
        _ name: String, _ operation: LambdaOperation, query: [(name: String, value: String)] = [], _ body: JSONValue = .null
    ) async throws(LambdaFailure) -> JSONValue {
        try await perform(operation, ["FunctionName": name], query: query, body)
    }

    /// The failure that a request must give.
    func failure(
        _ operation: LambdaOperation, _ path: [String: String] = [:], query: [(name: String, value: String)] = [],
        _ body: JSONValue = .null, sourceLocation: SourceLocation = #_sourceLocation
    ) async -> LambdaFailure {
        do throws(LambdaFailure) {
            let answer = try await perform(operation, path, query: query, body)
            Issue.record("\(operation) answered \(answer)", sourceLocation: sourceLocation)
            return LambdaFailure("none", status: 0, "")
        } catch { return error }
    }

    func failure(
        on name: String, _ operation: LambdaOperation, query: [(name: String, value: String)] = [], _ body: JSONValue = .null,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async -> LambdaFailure {
        await failure(operation, ["FunctionName": name], query: query, body, sourceLocation: sourceLocation)
    }

    /// The body of CreateFunction for a Python function, with `changes` over it.
    static func request(_ name: String, code: String = "1", _ changes: JSONObject = [:]) -> JSONValue {
        var body: JSONObject = [
            "FunctionName": name.json, "Runtime": "python3.11", "Handler": "app.handler", "Role": role.json,
            "Code": ["ZipFile": zip(code)],
        ]
        for member in changes.members { body[member.key] = member.value }
        return .object(body)
    }

    static func zip(_ code: String) -> JSONValue { .string(Base64.text(TestZip(files: ["app.py": code]).bytes)) }

    @discardableResult
    func create(_ name: String, code: String = "1", _ changes: JSONObject = [:]) async throws(LambdaFailure) -> JSONValue {
        try await perform(.createFunction, Self.request(name, code: code, changes))
    }

    private func perform(_ operation: LambdaOperation, _ body: JSONValue) async throws(LambdaFailure) -> JSONValue {
        try await perform(operation, [:], body)
    }

    /// What is on the shelf of code.
    func codeOnDisk() throws -> [String] { try Files.list(directory.path("functions/code")).filter { !$0.hasPrefix(".old") }.sorted() }
}

/// Everything that observers were told.
final class Heard: Sendable {
    private let events = Mutex<[CatalogEvent]>([])

    init(_ catalog: FunctionCatalog) { catalog.observe { [self] event in events.withLock { $0.append(event) } } }

    func take() -> [CatalogEvent] {
        events.withLock { events in
            defer { events = [] }
            return events
        }
    }
}
