import JSON
import KubeObjects
import Linux
import Networking
import Testing

@testable import Services

@Suite struct ClusterNamesTests {
    private var model: ClusterModel {
        var model = ClusterModel()
        func put(_ resource: Resource, _ name: String, _ json: JSONValue) {
            var object = KubeObject(json: json)
            object.metadata.name = name
            if resource.isNamespaced { object.metadata.namespace = "default" }
            model.take(resource, resource.key(namespace: "default", name), object)
        }
        put(.namespaces, "default", [:])
        put(.services, "web", Objects.service("web", address: "10.96.0.5"))
        put(.services, "db", Objects.service("db", address: "None"))
        put(.services, "out", ["spec": ["type": "ExternalName", "externalName": "www.example.org"]])
        put(.services, "alias", ["spec": ["type": "ExternalName", "externalName": "web.default.svc.cluster.local"]])
        put(.services, "loop", ["spec": ["type": "ExternalName", "externalName": "loop.default.svc.cluster.local"]])
        var first = Objects.endpoint("10.42.0.5", uid: "u1")
        first["hostname"] = "db-0"
        put(.endpointSlices, "db-1", Objects.slice("db", [first, Objects.endpoint("10.42.0.6", uid: "u2"), Objects.endpoint("10.42.0.7", uid: "u3", ready: false)], port: 5432))
        return model
    }

    private func decide(_ name: String, _ type: UInt16, _ model: ClusterModel? = nil) -> NameTable.Decision? {
        let query = DNSMessage(id: 2, flags: DNSMessage.recursionDesired, questions: [DNSQuestion(DNSName(name)!, type: type)])
        return ClusterNames(model: model ?? self.model, domain: "cluster.local").decide(query)
    }

    private func reply(_ name: String, _ type: UInt16 = DNSQuestion.typeA, _ model: ClusterModel? = nil) -> DNSMessage? {
        guard case .reply(let message) = decide(name, type, model) else { return nil }
        return message
    }

    private func addresses(_ name: String, _ model: ClusterModel? = nil) -> Set<String> {
        Set((reply(name, DNSQuestion.typeA, model)?.answers ?? []).filter { $0.type == DNSQuestion.typeA }.map { "\(IPAddress(bytes: $0.data))" })
    }

    @Test func `services and their pods have addresses`() {
        #expect(addresses("web.default.svc.cluster.local") == ["10.96.0.5"])
        #expect(addresses("WEB.Default.SVC.cluster.local") == ["10.96.0.5"])
        #expect(addresses("db.default.svc.cluster.local") == ["10.42.0.5", "10.42.0.6"], "who is not ready has no name")
        #expect(addresses("db-0.db.default.svc.cluster.local") == ["10.42.0.5"])
        #expect(addresses("10-42-0-6.db.default.svc.cluster.local") == ["10.42.0.6"])
        #expect(addresses("10-42-7-9.default.pod.cluster.local") == ["10.42.7.9"])
    }

    @Test func `a name without such a record is told from one that is not there`() {
        for (name, code) in [
            ("web.default.svc.cluster.local", 0), ("default.svc.cluster.local", 0), ("svc.cluster.local", 0), ("_tcp.web.default.svc.cluster.local", 0),
            ("nobody.default.svc.cluster.local", 3), ("web.other.svc.cluster.local", 3), ("x.web.default.svc.cluster.local", 3),
            ("10-42-0-7.db.default.svc.cluster.local", 3), ("a.b.c.web.default.svc.cluster.local", 3), ("10-1-2-3.none.pod.cluster.local", 3),
            ("www.example.org.cluster.local", 3), ("_no._tcp.web.default.svc.cluster.local", 3),
        ] as [(String, UInt16)] {
            let message = reply(name, DNSQuestion.typeAAAA)
            #expect(message?.code == code && message?.answers == [], "\(name)")
            #expect(message?.authorities.first?.type == DNSQuestion.typeAuthority, "\(name): until when that holds")
            #expect(message.map { $0.flags & DNSMessage.authoritative != 0 } == true)
        }
    }

    @Test func `other names are not the cluster's`() {
        for name in ["www.example.org", "cluster.local.example", "mycluster.local", "web", "web.default"] { #expect(decide(name, DNSQuestion.typeA) == nil, "\(name)") }
        #expect(decide("9.9.9.9.in-addr.arpa", DNSQuestion.typePointer) == nil)
    }

    @Test func `ports have SRV records and addresses have names`() {
        let web = reply("_http._tcp.web.default.svc.cluster.local", DNSQuestion.typeService)!.answers
        #expect(web.map(\.data) == [[0, 0, 0, 100, 0, 80] + DNSName("web.default.svc.cluster.local")!.encoded])
        let all = reply("_http._tcp.db.default.svc.cluster.local", DNSQuestion.typeService)!.answers
        let targets = ["db-0", "10-42-0-6"].map { [0, 0, 0, 100, 0x15, 0x38] + DNSName("\($0).db.default.svc.cluster.local")!.encoded }
        #expect(Set(all.map(\.data)) == Set(targets))
        func name(_ address: String) -> [[UInt8]] { reply(address + ".in-addr.arpa", DNSQuestion.typePointer)?.answers.map(\.data) ?? [] }
        #expect(name("5.0.96.10") == [DNSName("web.default.svc.cluster.local")!.encoded])
        #expect(name("5.0.42.10") == [DNSName("db-0.db.default.svc.cluster.local")!.encoded])
    }

    @Test func `a name for something elsewhere is an alias, followed where it leads`() {
        guard case .follow(let begun, let question, _) = decide("out.default.svc.cluster.local", DNSQuestion.typeA) else {
            Issue.record("it is not followed")
            return
        }
        #expect(begun.answers.map(\.data) == [DNSName("www.example.org")!.encoded] && question.name == DNSName("www.example.org")!)
        let inner = reply("alias.default.svc.cluster.local")!
        #expect(inner.answers.map(\.type) == [DNSQuestion.typeAlias, DNSQuestion.typeA])
        #expect(reply("loop.default.svc.cluster.local")!.answers.count <= 9, "a loop ends")
        #expect(reply("out.default.svc.cluster.local", DNSQuestion.typeAlias)?.answers.count == 1)
    }

    @Test func `a withdrawn pod leaves the names of its service`() {
        var model = self.model
        model.withdraw("u1", [])
        #expect(addresses("db.default.svc.cluster.local", model) == ["10.42.0.6"])
        #expect(reply("db-0.db.default.svc.cluster.local", DNSQuestion.typeA, model)?.code == 3)
    }
}
