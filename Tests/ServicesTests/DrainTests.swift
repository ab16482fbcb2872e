import Linux
import Networking
import TestKit
import Testing

@testable import Services

@Suite struct ConnectionRestTests {
    private func socket(
        _ phase: SocketState.Phase = .established, sent: UInt32?, received: UInt32?, unread: UInt32 = 0, unsent: UInt32 = 0,
        port: UInt16 = 8080, peer: String = "10.42.0.9"
    ) -> SocketState {
        SocketState(
            phase: phase, localPort: port, peer: InternetEndpoint(IPAddress(peer)!, 40000), cookie: 1, unread: unread,
            unsent: unsent, sinceSent: sent, sinceReceived: received)
    }

    private func isBusy(_ socket: SocketState) -> Bool { ConnectionRest.isBusy(socket, ports: [8080]) }

    @Test func `a first request that waits for its answer is under way, however long ago it came`() {
        // It came in the tick of the handshake, which is what the kernel knows as the last thing sent.
        var asked = socket(sent: 60_000, received: 60_000)
        asked.bytesReceived = 80
        #expect(isBusy(asked))
        asked.bytesAcknowledged = 200
        #expect(!isBusy(asked))
    }

    @Test func `a connection with a request under way is not at rest`() {
        #expect(isBusy(socket(sent: 60_000, received: 59_999)), "asked long ago, and not answered")
        #expect(isBusy(socket(sent: 5000, received: 9000, unread: 1)), "bytes that the program has not read")
        #expect(isBusy(socket(sent: 5000, received: 9000, unsent: 1)), "bytes that the client has not got")
        #expect(isBusy(socket(sent: 10, received: 20)), "an answer that may go on")
        #expect(isBusy(socket(.synReceived, sent: 0, received: 0)), "a connection that is being made")
        #expect(isBusy(socket(.closeWait, sent: 900, received: 800)), "a client that has sent its all and waits")
        #expect(isBusy(socket(sent: nil, received: nil)), "nobody knows")
    }

    @Test func `a connection that was answered and is quiet is at rest`() {
        #expect(!isBusy(socket(sent: 250, received: 251)))
        #expect(isBusy(socket(sent: 400, received: 400)), "in doubt which came last")
        #expect(!isBusy(socket(sent: 1000, received: 1000)))
        #expect(!isBusy(socket(.finWait2, sent: 0, received: 0)))
        #expect(!isBusy(socket(.listening, sent: 0, received: 0, unread: 3)))
    }

    @Test func `only clients of the pod's services count`() {
        #expect(!isBusy(socket(sent: 9, received: 1, port: 43210)), "a connection that the pod has made")
        #expect(!isBusy(socket(sent: 9, received: 1, peer: "127.0.0.1")), "a neighbour in the pod")
    }
}

/// Pods that end, with programs that are cut off when they are told to end.
@Suite(.enabled(if: isRoot), .leavesNoTrace, .timeLimit(.minutes(3)), .serialized) struct WithdrawalTests {
    @Test func `a pod is given time for the requests that it owes`() async throws {
        try await ServiceWorld.with { world in
            let (one, client) = (try await world.pod("one"), try await world.pod("client"))
            try await world.serving([one], Servers.http) {
                try await world.service("web")
                try await world.endpoints("web", [one.endpoint])
                try await eventually("the service answers") {
                    try await world.run(in: client.namespace, "curl", "-s", "http://10.96.1.1/").text == "one"
                }
                let begin = ContinuousClock.now
                async let slow = world.run(in: client.namespace, "curl", "-sS", "http://10.96.1.1/slow")
                try await eventually("the server has the request") { try world.said(one).contains("asked") }
                await world.router.withdraw(podUID: one.uid, addresses: [one.address], deadline: .now + .seconds(20))
                // Counted from before the request came: so long is waited even where it is in doubt who spoke last.
                #expect(ContinuousClock.now - begin > .milliseconds(900), "it waited for the request")
                #expect(try await slow.text == "one")
            }
        }
    }

    @Test func `a connection that is kept for later does not hold a pod`() async throws {
        try await ServiceWorld.with { world in
            let (one, client) = (try await world.pod("one"), try await world.pod("client"))
            try await world.serving([one], Servers.http) {
                try await world.service("web")
                try await world.endpoints("web", [one.endpoint])
                let script = """
                    import http.client,sys,time
                    for i in range(200):
                      try: c=http.client.HTTPConnection("10.96.1.1",80); c.request("GET","/"); print(c.getresponse().read().decode(),flush=True); break
                      except OSError: time.sleep(0.05)
                    time.sleep(600)
                    """
                let log = "/tmp/forkless-keepalive-\(OwnProcess.pid)"
                try await BackgroundServer.running(
                    ServiceWorld.enter(client.namespace) + ["python3", "-u", "-c", script], log: log
                ) { server in
                    _ = try await server.until("an answer") { $0.contains("one") ? true : nil }
                    let deadline = ContinuousClock.now + .seconds(60)
                    await world.router.withdraw(podUID: one.uid, addresses: [one.address], deadline: deadline)
                    #expect(ContinuousClock.now < deadline, "the client keeps its connection and asks nothing")
                }
                try Files.remove(log)
            }
        }
    }

    @Test func `pods are replaced without a lost request`() async throws {
        try await ServiceWorld.with { world in
            let client = try await world.pod("client")
            try await world.service("web")
            var pods = [try await world.pod("pod0")]
            var servers = [try await LiveServer.start(world, pods[0])]
            try await world.endpoints("web", [pods[0].endpoint])
            try await eventually("the service answers") {
                try await world.run(in: client.namespace, "curl", "-s", "http://10.96.1.1/").text == "pod0"
            }
            async let heard = world.run(in: client.namespace, "python3", "-u", "-c", Self.asking)
            for number in 1...4 {
                pods.append(try await world.pod("pod\(number)"))
                servers.append(try await LiveServer.start(world, pods[number]))
                let old = pods[number - 1]
                // The controller of endpoints is late: the old pod is said to be ready until it is gone.
                try await world.endpoints("web", [old.endpoint, pods[number].endpoint])
                let new = pods[number].address
                try await eventually("the new pod is asked, too") { try await world.rules().contains(new) }
                try await Task.sleep(for: .milliseconds(300))
                await world.router.withdraw(podUID: old.uid, addresses: [old.address], deadline: .now + .seconds(30))
                try await servers[number - 1].stop()
                try await world.endpoints("web", [pods[number].endpoint])
            }
            let said = try await heard
            try await servers[4].stop()
            #expect(said.text.hasSuffix("lost 0, pods 5\n"), "\(said.text) \(said.errorText)")
        }
    }

    /// Asks for as long as pods are replaced, over new connections and over one that is kept: which is left alone for half a
    /// second from time to time, as clients do, and made anew when the server has closed it meanwhile. A client that
    /// was held up for as long as a connection has to rest (`ConnectionRest`) loses nothing by that either.
    private static let asking = """
        import http.client,time,threading
        lost=[]; seen=set(); end=time.time()+9; count=0
        def more():
          # On a busy machine the last pod comes later.
          return time.time()<end or time.time()<end+20 and (len(seen)<5 or count<=200)
        def lose(kind,e,begin,sent):
          if (sent or time.time())-begin<0.2: lost.append(kind+" "+repr(e))
        def new():
          global count
          while more():
            begin=time.time(); sent=None
            try:
              c=http.client.HTTPConnection("10.96.1.1",80,timeout=20); c.request("GET","/"); sent=time.time()
              seen.add(c.getresponse().read().decode()); c.close(); count+=1
            except Exception as e: lose("new",e,begin,sent)
        def kept():
          c=None; n=0
          while more():
            n+=1; sent=None
            if n%50==0: time.sleep(0.5); c=None
            try:
              if c is None: begin=time.time(); c=http.client.HTTPConnection("10.96.1.1",80,timeout=20)
              c.request("GET","/"); sent=time.time(); seen.add(c.getresponse().read().decode()); begin=sent
            except Exception as e: lose("kept",e,begin,sent); c=None
        threads=[threading.Thread(target=t) for t in (new,kept)]
        [t.start() for t in threads]; [t.join() for t in threads]
        for l in lost[:5]: print(l)
        print("%s lost %d, pods %d"%("enough" if count>200 else "only %d"%count,len(lost),len(seen)))
        """
}

/// A server in a pod, for as long as a test wants.
final class LiveServer: Sendable {
    private let end: AsyncStream<Void>.Continuation
    private let task: Task<Void, any Error>

    private init(_ end: AsyncStream<Void>.Continuation, _ task: Task<Void, any Error>) {
        self.end = end
        self.task = task
    }

    static func start(_ world: ServiceWorld, _ pod: ServiceWorld.Pod, _ script: String = Servers.http) async throws -> LiveServer {
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let (begins, begin) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            defer { begin.finish() }
            try await world.serving([pod], script) {
                begin.finish()
                for await _ in ends {}
            }
        }
        for await _ in begins {}
        return LiveServer(end, task)
    }

    /// Tells it to end, as a pod's programs are.
    func stop() async throws {
        end.finish()
        try await task.value
    }
}
