import Engine
import JSON
import Linux
import Synchronization
import TestKit
import Testing

@Suite struct BoundedQueueTests {
    @Test func `elements come out in order, and who puts waits while the queue is full`() async {
        let queue = BoundedQueue<Int>(limit: 2)
        let put = Mutex(0)
        let putting = Task {
            for number in 0..<100 {
                await queue.put(number)
                put.withLock { $0 = number + 1 }
            }
            queue.finish()
        }
        var taken: [Int] = []
        while let number = await queue.take() {
            taken.append(number)
            // Two wait in the queue at most, and one is in the putter's hands.
            #expect(put.withLock { $0 } <= taken.count + 3)
        }
        await putting.value
        #expect(taken == Array(0..<100))
    }

    @Test func `what was put before the end still comes out`() async {
        let queue = BoundedQueue<Int>(limit: 4)
        await queue.put(1)
        queue.finish()
        #expect(await queue.put(2) == false)
        #expect(await queue.take() == 1)
        #expect(await queue.take() == nil)
    }

    @Test func `a cancelled wait ends`() async {
        let queue = BoundedQueue<Int>(limit: 1)
        let taking = Task { await queue.take() }
        taking.cancel()
        #expect(await taking.value == nil)
        await queue.put(1)
        let putting = Task { await queue.put(2) }
        putting.cancel()
        #expect(await putting.value == false)
        #expect(await queue.take() == 1)
    }

    @Test func `a wait ends with the first value that fits`() async {
        let published = Published(0)
        let waiting = Task { await published.wait { $0 >= 3 } }
        for number in 1...5 { published.set(number) }
        #expect(await waiting.value ?? 0 >= 3)
        let cancelled = Task { await published.wait { $0 > 9 } }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
    }
}

@Suite struct NodeFrameTests {
    @Test func `every frame survives the wire`() throws {
        let bodies: [NodeFrame.Body] = [
            .request(operation: "containers.run", parameters: ["a": 1]), .cancel, .item(["x": true]), .result([:]),
            .failure(NodeFailure(.notFound, "there is no \"x\"")),
        ]
        for body in bodies {
            let frame = NodeFrame(id: 7, body)
            #expect(try NodeFrame(json: try JSONParser.parse(JSONWriter.bytes(frame.json))) == frame)
        }
    }

    @Test(arguments: ["{}", "{\"id\":1}", "{\"id\":1,\"result\":{},\"item\":{}}", "{\"id\":1,\"resutl\":{}}", "[]"])
    func `what is no message is refused`(text: String) throws {
        let json = try JSONParser.parse(text)
        #expect(throws: JSONShapeError.self) { try NodeFrame(json: json) }
    }

    @Test func `every operation's name is its own`() {
        #expect(Set(NodeOperation.allCases.map(\.rawValue)).count == NodeOperation.allCases.count)
    }
}

@Suite struct NodeClientTests {
    /// A client and the node's end of its connection, played by the test.
    private func pair() throws -> (client: NodeClient, node: MessageChannel) {
        var pair = try MessageSocket.pair()
        return (
            NodeClient(try MessageChannel(adopting: pair.takeFirst())), try MessageChannel(adopting: pair.takeSecond())
        )
    }

    private func next(_ node: MessageChannel) async throws -> NodeFrame? {
        var buffer = ReceiveBuffer()
        return try await node.receiveFrame(&buffer)?.frame
    }

    @Test func `answers find their requests, whatever the order`() async throws {
        let (client, node) = try pair()
        let first = Task { try await client.call(WaitForContainer(container: "a")) }
        let one = try #require(try await next(node))
        let second = Task { try await client.call(WaitForContainer(container: "b")) }
        let two = try #require(try await next(node))
        let end = ContainerEnd(exitStatus: 1, endedAt: Timestamp(nanoseconds: 0))
        try await node.send(NodeFrame(id: two.id, .failure(NodeFailure(.notFound, "no b"))))
        try await node.send(NodeFrame(id: one.id, .result(end.json)))
        #expect(try await first.value == end)
        await #expect(throws: NodeFailure(.notFound, "no b")) { try await second.value }
    }

    @Test func `items come with their descriptors before the answer`() async throws {
        let (client, node) = try pair()
        let serving = Task {
            let request = try #require(try await next(node))
            let file = try Files.sealedMemory(named: "test", Array("hello".utf8))
            for number in 0..<50 {
                let item = LogLines(lines: [
                    LogLine(time: Timestamp(nanoseconds: number), stream: .stdout, content: [], isComplete: true)
                ])
                try await node.send(NodeFrame(id: request.id, .item(item.json)), descriptors: [file.raw])
            }
            try await node.send(NodeFrame(id: request.id, .result([:])))
        }
        let times = Mutex<[Int]>([])
        _ = try await client.stream(ReadLogs(container: "x")) { item, descriptors in
            times.withLock { $0.append(item.lines[0].time.nanoseconds) }
            let bytes = try Files.read(descriptors[0].raw, from: 0, count: 9)
            #expect(bytes == Array("hello".utf8))
        }
        try await serving.value
        #expect(times.withLock { $0 } == Array(0..<50))
    }

    @Test func `a request beyond a datagram goes in a memory file`() async throws {
        let (client, node) = try pair()
        var spec = ContainerSpec(program: "x")
        spec.arguments = (0..<100_000).map { "argument \($0)" }
        let sent = spec
        let answer = Task { try await client.call(CreateContainer(sent)) }
        let request = try #require(try await next(node))
        guard case .request(_, let parameters) = request.body else { throw NodeFailure(.protocolError, "no request") }
        #expect(try CreateContainer(strict: parameters).spec == sent)
        try await node.send(NodeFrame(id: request.id, .result(ContainerCreated(id: "i", name: "n").json)))
        #expect(try await answer.value.id == "i")
    }

    @Test func `a node that goes away fails every call`() async throws {
        let (client, node) = try pair()
        let answer = Task { try await client.call(WaitForContainer(container: "a")) }
        _ = try await next(node)
        node.end()
        let failure = await #expect(throws: NodeFailure.self) { try await answer.value }
        #expect(failure?.kind == .unavailable)
        await #expect(throws: NodeFailure.self) { try await client.call(GetVersion()) }
    }

    @Test func `a cancelled call is taken back`() async throws {
        let (client, node) = try pair()
        let calling = Task { try await client.call(WaitForContainer(container: "a")) }
        let request = try #require(try await next(node))
        calling.cancel()
        #expect(try await next(node) == NodeFrame(id: request.id, .cancel))
        let failure = await #expect(throws: NodeFailure.self) { try await calling.value }
        #expect(failure?.kind == .cancelled)
    }

    @Test func `without a node the error says how to start one`() async throws {
        let failure = await #expect(throws: NodeFailure.self) {
            try await NodeClient.connect(to: "/tmp/forkless-no-such/node.sock")
        }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.message.contains("forkless node --detach") == true)
    }
}
