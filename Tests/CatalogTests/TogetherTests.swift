@testable import Catalog
import JSON
import Lambda
import Store
import Synchronization
import TestKit
import Testing

/// Several requests as one change.
struct TogetherTests {
    private func step(_ operation: LambdaOperation, _ body: JSONValue, name: String? = "echo") -> CatalogStep {
        CatalogStep(operation, OperationInput(path: name.map { ["FunctionName": $0] } ?? [:], body: body))
    }

    @Test func `requests that are done together are all done or none`() async throws {
        let directory = try TemporaryDirectory("catalog")
        let written = Mutex<[[CatalogChange]]>([])
        let catalog = try await FunctionCatalog([], directory: directory.path("functions"), settings: TestCatalog.settings, images: NoImages()) {
            changes throws(StoreFailure) in written.withLock { $0.append(changes) }
        }
        let told = Mutex(0)
        catalog.watch { told.withLock { $0 += 1 } }
        let heard = Heard(catalog)
        let create = step(.createFunction, TestCatalog.request("echo"), name: nil)
        let failure = await #expect(throws: CatalogStepFailure.self) {
            try await catalog.perform(together: [create, step(.putFunctionConcurrency, ["ReservedConcurrentExecutions": 1_000_000])])
        }
        #expect(failure?.index == 1 && failure?.failure.status == 400)
        #expect(catalog.functions().isEmpty && heard.take().isEmpty)
        #expect(written.withLock(\.count) == 0)
        #expect(told.withLock(\.self) == 0)
        // Each is decided on what the ones before it have made.
        try await catalog.perform(together: [create, step(.putFunctionConcurrency, ["ReservedConcurrentExecutions": 5])])
        #expect(written.withLock(\.count) == 1)
        #expect(told.withLock(\.self) == 1)
        #expect(catalog.reservedConcurrency() == ["echo": 5])
        let events = heard.take()
        #expect(events.count == 2, "one deployment, and what is reserved: \(events)")
    }

    @Test func `requests that are checked change nothing`() async throws {
        let test = try await TestCatalog()
        let create = step(.createFunction, TestCatalog.request("echo"), name: nil)
        try test.catalog.check(together: [create, step(.updateFunctionConfiguration, ["Timeout": 9])])
        #expect(test.catalog.functions().isEmpty)
        let failure = #expect(throws: CatalogStepFailure.self) {
            try test.catalog.check(together: [create, step(.updateFunctionConfiguration, ["Timeout": 9000])])
        }
        #expect(failure?.index == 1)
        let noZip = step(.updateFunctionCode, ["ZipFile": "#"])
        #expect(throws: CatalogStepFailure.self) { try test.catalog.check(together: [create, noZip]) }
    }
}
