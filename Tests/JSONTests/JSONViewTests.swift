import JSON
import Testing

private struct Pod: JSONView {
    var json: JSONValue
    init(json: JSONValue) { self.json = json }

    var name: String? {
        get { self["name"] }
        set { self["name"] = newValue }
    }
    var replicas: Int {
        get { self["replicas", default: 1] }
        set { self["replicas", default: 1] = newValue }
    }
    var labels: [String: String] {
        get { self["labels", default: [:]] }
        set { self["labels"] = newValue }
    }
    var containers: [Container] {
        get { self["containers", default: []] }
        set { self["containers"] = newValue }
    }
    var main: Container {
        get { self[view: "main"] }
        set { self[view: "main"] = newValue }
    }
}

private struct Container: JSONView {
    var json: JSONValue
    init(json: JSONValue) { self.json = json }

    var image: String? {
        get { self["image"] }
        set { self["image"] = newValue }
    }
    var port: UInt16? {
        get { self["port"] }
        set { self["port"] = newValue }
    }
}

@Suite struct JSONViewTests {
    @Test func `a written field changes, every other stays as it was`() throws {
        let text = #"{"unknown":{"deep":[1,2.50]},"name":"a","main":{"image":"x","later":true},"replicas":2}"#
        var pod = Pod(json: try JSONParser.parse(text))
        #expect(pod.replicas == 2)
        #expect(pod.json.description == text)
        pod.name = "b"
        pod.main.image = "y"
        #expect(
            pod.json.description
                == #"{"unknown":{"deep":[1,2.50]},"name":"b","main":{"image":"y","later":true},"replicas":2}"#)
        pod.name = nil
        #expect(pod.json["name"] == nil)
    }

    @Test func `reading and writing back nothing leaves no trace`() {
        var pod = Pod()
        #expect(pod.main.image == nil)
        pod.main.image = nil
        #expect(pod.json == [:])
        #expect(pod.replicas == 1)
    }

    @Test func `elements of a list keep the fields that nobody knows`() {
        var pod = Pod(json: ["containers": [["image": "a", "x": 1], ["image": "b"]]])
        pod.containers[0].port = 80
        #expect(pod.json == ["containers": [["image": "a", "x": 1, "port": 80], ["image": "b"]]])
    }

    @Test func `a field of the wrong kind or out of range reads as nil`() {
        let container = Container(json: ["image": 5, "port": 70000])
        #expect(container.image == nil)
        #expect(container.port == nil)
    }

    @Test func `a dictionary is written sorted by name`() {
        var pod = Pod()
        pod.labels = ["b": "2", "a": "1", "c": "3"]
        #expect(pod.json.description == #"{"labels":{"a":"1","b":"2","c":"3"}}"#)
    }
}

@Suite struct JSONObjectReaderTests {
    private struct Request: Equatable {
        var name: String
        var memory: Int?
        var arguments: [String]
        var ports: [UInt16]
        var environment: [String: String]
        var isReadOnly: Bool?

        init(_ text: String) throws {
            var reader = try JSONObjectReader(try JSONParser.parse(text))
            name = try reader.required("name")
            memory = try reader.optional("memory")
            arguments = try reader.list("arguments")
            ports = try reader.array("ports") { port throws(JSONShapeError) in
                let number: UInt16 = try port.required("number")
                guard number != 0 else { throw port.error("number", "port 0 cannot be reached") }
                try port.refuseUnknown()
                return number
            }
            environment = try reader.dictionary("environment")
            isReadOnly =
                try reader.object("root") { root throws(JSONShapeError) in try root.optional("readOnly") } ?? nil
            try reader.refuseUnknown()
        }
    }

    @Test func `every field is read`() throws {
        let request = try Request(
            #"{"name":"n","memory":5,"arguments":["a"],"ports":[{"number":80}],"environment":{"K":"v"},"root":{"readOnly":true}}"#
        )
        #expect(request.name == "n" && request.memory == 5 && request.arguments == ["a"] && request.ports == [80])
        #expect(request.environment == ["K": "v"] && request.isReadOnly == true)
        let least = try Request(#"{"name":"n","memory":null,"ports":null}"#)
        #expect(least.memory == nil && least.arguments == [] && least.ports == [] && least.isReadOnly == nil)
    }

    @Test(arguments: [
        ("[]", "expected an object, found an array"),
        ("{}", "name: expected a string, found nothing"),
        (#"{"name":null}"#, "name: expected a string, found nothing"),
        (#"{"name":1}"#, "name: expected a string, found a number"),
        (
            #"{"name":"n","memory":1.5}"#,
            "memory: expected a whole number from -9223372036854775808 to 9223372036854775807, found 1.5"
        ),
        (
            #"{"name":"n","memory":"1"}"#,
            "memory: expected a whole number from -9223372036854775808 to 9223372036854775807, found a string"
        ),
        (#"{"name":"n","arguments":"a"}"#, "arguments: expected an array, found a string"),
        (#"{"name":"n","arguments":["a",null]}"#, "arguments[1]: expected a string, found null"),
        (
            #"{"name":"n","ports":[{"number":1},{"number":70000}]}"#,
            "ports[1].number: expected a whole number from 0 to 65535, found 70000"
        ),
        (#"{"name":"n","ports":[{}]}"#, "ports[0].number: expected a whole number from 0 to 65535, found nothing"),
        (#"{"name":"n","ports":[7]}"#, "ports[0]: expected an object, found a number"),
        (#"{"name":"n","ports":[{"number":0}]}"#, "ports[0].number: port 0 cannot be reached"),
        (#"{"name":"n","ports":[{"number":1,"x":1}]}"#, "ports[0].x: not a known field; known here: number"),
        (#"{"name":"n","environment":{"K":true}}"#, "environment.K: expected a string, found a boolean"),
        (#"{"name":"n","root":{"readOnly":"yes"}}"#, "root.readOnly: expected a boolean, found a string"),
        (
            #"{"name":"n","nmae":1}"#,
            "nmae: not a known field; known here: arguments, environment, memory, name, ports, root"
        ),
    ]) func `an error names the path`(text: String, error: String) {
        let thrown = #expect(throws: JSONShapeError.self) { _ = try Request(text) }
        #expect(thrown?.description == error)
    }
}
