package import JSON

extension CreateContainer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(try reader.nested("spec"))
    }

    package var json: JSONValue { .members(("spec", spec.json)) }
}

extension ContainerCreated {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(id: try reader.required("id"), name: try reader.required("name"))
    }

    package var json: JSONValue { .members(("id", id.json), ("name", name.json)) }
}

extension StartContainer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(container: try reader.required("container"))
    }

    package var json: JSONValue { .members(("container", container.json)) }
}

extension WaitForContainer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(container: try reader.required("container"))
    }

    package var json: JSONValue { .members(("container", container.json)) }
}

extension StopContainer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            container: try reader.required("container"), timeoutSeconds: try reader.optional("timeoutSeconds"),
            signal: try reader.optional("signal"))
    }

    package var json: JSONValue {
        .members(("container", container.json), ("timeoutSeconds", timeoutSeconds?.json), ("signal", signal?.json))
    }
}

extension KillContainer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            container: try reader.required("container"), signal: try reader.required("signal"),
            execution: try reader.optional("execution"))
    }

    package var json: JSONValue {
        .members(("container", container.json), ("signal", signal.json), ("execution", execution?.json))
    }
}

extension RemoveContainer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            container: try reader.required("container"), force: try reader.flag("force"),
            volumes: try reader.flag("volumes"))
    }

    package var json: JSONValue {
        .members(("container", container.json), ("force", force.json), ("volumes", volumes.json))
    }
}
