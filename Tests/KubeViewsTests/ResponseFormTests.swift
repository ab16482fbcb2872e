import KubeObjects
import TestKit
import Testing

@testable import KubeViews

/// Accept headers as clients send them.
@Suite(.timeLimit(.minutes(1))) struct ResponseFormTests {
    private static let kubectl =
        "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"

    private func form(_ accept: String?, _ subject: ResponseForm.Subject = .list) throws(APIFailure) -> ResponseForm {
        try ResponseForm(accept: accept, of: subject)
    }

    @Test func `kubectl gets tables, and whoever takes anything gets objects`() throws {
        #expect(try form(Self.kubectl) == .table(TableForm()))
        #expect(try form("application/json;as=Table;v=v1beta1;g=meta.k8s.io") == .table(TableForm(version: "v1beta1")))
        for accept in [
            nil, "", "*/*", "application/json", "application/vnd.kubernetes.protobuf,application/json",
            "application/json, */*", "application/json;stream=watch", "text/html,application/xhtml+xml,*/*;q=0.8",
            "application/vnd.kubernetes.protobuf;stream=watch,application/json;stream=watch",
            "application/json;as=Table;v=v9;g=meta.k8s.io,application/json",
        ] { #expect(try form(accept) == .object, "\(accept ?? "nil")") }
    }

    @Test func `metadata is asked for in a form for lists and one for objects`() throws {
        let list =
            "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
        #expect(try form(list) == .metadata(version: "v1"))
        let one = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
        #expect(try form(one, .watch) == .metadata(version: "v1"))
        #expect(try form(one, .object) == .metadata(version: "v1"))
        #expect(throws: APIFailure.self) { try form(one, .list) }
    }

    @Test func `what is not served is not acceptable`() {
        for accept in [
            "application/vnd.kubernetes.protobuf", "text/html", "application/json;q=0", "application/yaml",
            "application/json;as=Table;v=v1;g=example.com",
        ] {
            let failure = #expect(throws: APIFailure.self) { try form(accept) }
            #expect(failure?.code == 406)
        }
    }

    @Test func `rows have what is asked for`() throws {
        for (parameter, objects) in [
            (nil, TableForm.RowObject.metadata), ("", .metadata), ("None", .none), ("Object", .whole),
            ("Metadata", .metadata),
        ] {
            let form = try ResponseForm(accept: Self.kubectl, includeObject: parameter, of: .list)
            #expect(form == .table(TableForm(objects: objects)))
        }
        let failure = #expect(throws: APIFailure.self) {
            try ResponseForm(accept: Self.kubectl, includeObject: "All", of: .list)
        }
        #expect(failure?.code == 400)
    }

    @Test func `the most wanted form comes first`() throws {
        #expect(try form("application/json;q=0.5,application/json;as=Table;v=v1;g=meta.k8s.io") == .table(TableForm()))
        #expect(try form("application/json;as=Table;v=v1;g=meta.k8s.io;q=0.1,application/json;q=.9") == .object)
    }

    @Test(arguments: 0..<50) func `no header traps`(seed: Int) {
        var chance = SeededChance(seed: UInt64(seed))
        let letters = Array("a/*;=,qjson \t.0é")
        for _ in 0..<200 {
            let header = String(
                (0..<Int.random(in: 0..<40, using: &chance)).map { _ in letters.randomElement(using: &chance)! })
            _ = try? form(header)
        }
    }
}
