@testable import Catalog
import JSON
import Lambda
import Linux
import TestKit
import Testing

/// Unpacked code: there once, as long as somebody needs it.
struct CodeShelfTests {
    private static func shelf(_ directory: TemporaryDirectory) throws -> CodeShelf { try CodeShelf(directory: directory.path("code")) }

    @Test func `code stays until no version refers to it`() async throws {
        let test = try await TestCatalog()
        try await test.create("a", code: "same", ["Publish": true])
        try await test.create("b", code: "same")
        #expect(try test.codeOnDisk().count == 1)
        try await test.on("a", .updateFunctionCode, ["ZipFile": TestCatalog.zip("other")])
        try await test.on("b", .deleteFunction)
        #expect(try test.codeOnDisk().count == 2, "version 1 of a has it")
        try await test.on("a", .deleteFunction, query: [(name: "Qualifier", value: "1")])
        try await eventually("only the other is there") { try test.codeOnDisk().count == 1 }
        try await test.on("a", .deleteFunction)
        try await eventually("nothing is there") { try test.codeOnDisk().isEmpty }
    }

    @Test func `code is kept while somebody uses it and removed after`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo")
        let function = try test.catalog.resolve("echo", chance: 0).function
        let path = try #require(function.codeDirectory)
        var leases = test.catalog.lease(function)
        #expect(leases.count == 1)
        try await test.on("echo", .deleteFunction)
        #expect(Files.exists(path + "/app.py"))
        leases = []
        try await eventually("the code is gone") { !Files.exists(path) }
    }

    @Test func `what was being unpacked when the node died is gone at the next start`() async throws {
        let test = try await TestCatalog()
        try await test.create("echo")
        await test.close()
        let code = test.directory.path("functions/code")
        try test.directory.write("half", to: "functions/code/.new-abc-1/tree/app.py")
        try test.directory.write("old", to: "functions/code/.old-abc-1/tree/app.py")
        try test.directory.write("unused", to: "functions/code/\(String(repeating: "a", count: 64))/tree/app.py")
        let again = try await TestCatalog(test.directory)
        #expect(try Files.list(code).count == 1)
        #expect(try Files.exists(again.catalog.resolve("echo", chance: 0).function.codeDirectory! + "/app.py"))
        await again.close()
    }

    @Test func `the same archive is unpacked once, by however many at once`() async throws {
        let directory = try TemporaryDirectory("shelf")
        let shelf = try Self.shelf(directory)
        let zip = TestZip(files: ["app.py": "1"]).bytes
        let leases = try await withThrowingTaskGroup(of: CodeLease.self) { group in
            for _ in 0..<8 { group.addTask { try await shelf.put(zip).lease } }
            var leases: [CodeLease] = []
            for try await lease in group { leases.append(lease) }
            return leases
        }
        #expect(try Files.list(directory.path("code")) == [CodeShelf.names(zip).hex])
        withExtendedLifetime(leases) {}
    }

    @Test func `code can be read by everybody, whatever the mask of the node`() async throws {
        let directory = try TemporaryDirectory("shelf")
        let shelf = try Self.shelf(directory)
        let (code, lease) = try await shelf.put(TestZip([.init("lib/app.py", "1", mode: 0o100600), .init("run", "", mode: 0o100700)]).bytes)
        guard case .zip(let hex) = code.kind else { return }
        let tree = directory.path("code/\(hex)/tree")
        #expect(try Files.status(tree).permissions == 0o755)
        #expect(try Files.status(tree + "/lib").permissions == 0o755)
        #expect(try Files.status(tree + "/lib/app.py").permissions == 0o644)
        #expect(try Files.status(tree + "/run").permissions == 0o755)
        #expect(code.unpackedSize == 1)
        withExtendedLifetime(lease) {}
    }
}
