package import JSON
package import Linux

/// One message of the local API: the envelope around what is asked and answered (see `NodeOperation`).
package struct NodeFrame: Hashable, Sendable {
    package enum Body: Hashable, Sendable {
        case request(operation: String, parameters: JSONValue)
        case cancel
        case item(JSONValue)
        case result(JSONValue)
        case failure(NodeFailure)
    }

    package var id: Int
    package var body: Body

    package init(id: Int, _ body: Body) {
        self.id = id
        self.body = body
    }

    /// Longest body that travels in a memory file: 2 MiB of environment and as much of arguments, each byte written
    /// as up to six in JSON, fit in it several times less; beyond it the kernel would refuse the exec anyway.
    package static let bodyBytesLimit = 32 << 20
    /// Most descriptors that one message carries: three streams, and the body.
    package static let descriptorLimit = 8

    private static let cancelOperation = "cancel"

    package var json: JSONValue {
        switch body {
        case .request(let operation, let parameters):
            ["id": id.json, "operation": operation.json, "parameters": parameters]
        case .cancel: ["id": id.json, "operation": Self.cancelOperation.json]
        case .item(let item): ["id": id.json, "item": item]
        case .result(let result): ["id": id.json, "result": result]
        case .failure(let failure):
            ["id": id.json, "error": ["kind": .string(failure.kind.rawValue), "message": failure.message.json]]
        }
    }

    package init(json: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json)
        id = try reader.required("id")
        let operation: String? = try reader.optional("operation")
        let parameters: JSONValue? = try reader.optional("parameters")
        let item: JSONValue? = try reader.optional("item")
        let result: JSONValue? = try reader.optional("result")
        let failure = try reader.object("error") { reader throws(JSONShapeError) in
            NodeFailure(try reader.word("kind"), try reader.required("message"))
        }
        try reader.refuseUnknown()
        switch (operation, item, result, failure) {
        case (Self.cancelOperation?, nil, nil, nil): body = .cancel
        case (let operation?, nil, nil, nil):
            body = .request(operation: operation, parameters: parameters ?? .object([:]))
        case (nil, let item?, nil, nil): body = .item(item)
        case (nil, nil, let result?, nil): body = .result(result)
        case (nil, nil, nil, let failure?): body = .failure(failure)
        default:
            throw JSONShapeError(path: "", problem: "a message has one of operation, item, result and error")
        }
    }
}

/// A frame with the descriptors that came with it.
package struct ReceivedFrame: Sendable {
    package var frame: NodeFrame
    package var descriptors: [SharedFD]
}

extension MessageChannel {
    /// Sends a frame, in a memory file where it is too long for a datagram.
    package func send(_ frame: NodeFrame, descriptors: [CInt] = []) async throws(SystemError) {
        let bytes = JSONWriter.bytes(frame.json)
        if bytes.count <= MessageSocket.messageBytesLimit { return try await send(bytes, descriptors: descriptors) }
        guard bytes.count <= NodeFrame.bodyBytesLimit else {
            throw SystemError(
                "send a message", "of \(bytes.count) bytes", code: .messageTooLong,
                advice: "At most \(NodeFrame.bodyBytesLimit) bytes go in one message.")
        }
        let memory = try Files.sealedMemory(named: "forkless-message", bytes)
        let note: JSONValue = ["memory": bytes.count.json]
        try await send(JSONWriter.bytes(note), descriptors: descriptors + [memory.raw])
    }

    /// The next frame; nil when the peer has closed.
    ///
    /// - Throws: `NodeFailure` of kind `protocolError` for bytes that are no frame, `unavailable` when the connection
    ///   broke.
    package func receiveFrame(_ buffer: inout ReceiveBuffer) async throws(NodeFailure) -> ReceivedFrame? {
        do {
            guard var message = try await receive(&buffer) else { return nil }
            var json = try Self.parse(message.bytes)
            if let length = json["memory"] {
                let bytes = try await Self.body(length, in: &message)
                json = try Self.parse(bytes)
            }
            do throws(JSONShapeError) {
                return ReceivedFrame(frame: try NodeFrame(json: json), descriptors: message.descriptors)
            } catch { throw NodeFailure(.protocolError, "not a message of the local API: \(error)") }
        } catch let failure as NodeFailure {
            throw failure
        } catch let error as SystemError where error.code == .messageTooLong {
            throw NodeFailure(.protocolError, "a message with too many bytes or descriptors: \(error)")
        } catch {
            throw NodeFailure(.unavailable, "the connection broke: \(error)")
        }
    }

    private static func parse(_ bytes: [UInt8]) throws(NodeFailure) -> JSONValue {
        do { return try JSONParser.parse(bytes) } catch {
            throw NodeFailure(.protocolError, "not a message of the local API: \(error)")
        }
    }

    /// Reads the memory file that a long body came in. Whatever the peer sent instead, nothing waits for it here:
    /// only a regular file of the length announced is read, and on a thread that may block.
    private static func body(
        _ length: JSONValue, in message: inout MessageSocket.Message
    ) async throws(NodeFailure) -> [UInt8] {
        guard let length = length.integer, (0...Int64(NodeFrame.bodyBytesLimit)).contains(length),
            let memory = message.descriptors.popLast()
        else {
            throw NodeFailure(
                .protocolError, "a long message is a memory file of at most \(NodeFrame.bodyBytesLimit) bytes")
        }
        do {
            return try await BlockingPool.shared.run { () throws(SystemError) in
                let status = try Files.status(of: memory.raw)
                guard status.kind == .regular, status.size == Int(length) else {
                    throw SystemError("read a long message", code: .invalid, advice: "The file is not as announced.")
                }
                let bytes = try Files.read(memory.raw, from: 0, count: Int(length))
                guard bytes.count == Int(length) else { throw SystemError("read a long message", code: .inputOutput) }
                return bytes
            }
        } catch { throw NodeFailure(.protocolError, "\(error)") }
    }
}
