import Linux
import TestKit
import Testing

@testable import MessageBus

/// Debian's dbus-daemon on the other side.
@Suite(.leavesNothing, .timeLimit(.minutes(2))) struct BusConnectionTests {
    private func withBus(_ body: (String) async throws -> Void) async throws {
        let directory = try TemporaryDirectory("bus")
        let path = directory.path("bus")
        try directory.write(
            """
            <busconfig><listen>unix:path=\(path)</listen><auth>EXTERNAL</auth>
            <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
            </busconfig>
            """, to: "bus.conf")
        let arguments = ["dbus-daemon", "--config-file", directory.path("bus.conf"), "--nofork", "--nopidfile"]
        try await BackgroundServer.running(arguments, log: directory.path("log")) { server in
            try await server.untilListening(at: path)
            try await body(path)
        }
    }

    @Test func `a call is answered, and an error has its name`() async throws {
        try await withBus { path in
            let bus = try BusConnection(path: path)
            let daemon = "org.freedesktop.DBus"
            let answer = try bus.call(
                .call(daemon, "/org/freedesktop/DBus", daemon, "NameHasOwner", [.string(daemon)]))
            #expect(answer == [.boolean(true)])
            let error = #expect(throws: BusFailure.self) {
                _ = try bus.call(.call("nobody.at.all", "/", "x.y", "Z"))
            }
            #expect(error?.name == "org.freedesktop.DBus.Error.ServiceUnknown")
        }
    }

    @Test func `a signal that comes before the answer is kept`() async throws {
        try await withBus { path in
            let bus = try BusConnection(path: path)
            let daemon = "org.freedesktop.DBus"
            try bus.subscribe("type='signal',sender='\(daemon)',member='NameOwnerChanged'")
            // The daemon sends the signal first and then the answer.
            _ = try bus.call(
                .call(daemon, "/org/freedesktop/DBus", daemon, "RequestName", [.string("x.y"), .uint32(0)]))
            let signal = try bus.signal("the name") { $0.body.first == .string("x.y") }
            #expect(signal.member == "NameOwnerChanged")
        }
    }

    @Test func `a service that never answers is given up`() throws {
        let directory = try TemporaryDirectory("bus")
        let listener = try StreamSocket.listen(at: directory.path("mute"))
        let error = #expect(throws: BusFailure.self) {
            _ = try BusConnection(path: directory.path("mute"), patienceMilliseconds: 50)
        }
        #expect(error == .timedOut("to be let in"))
        _ = listener.raw
        #expect(throws: BusFailure.self) { _ = try BusConnection(path: directory.path("none")) }
    }
}
