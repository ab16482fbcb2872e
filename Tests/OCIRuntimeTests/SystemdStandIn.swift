import Glibc
import Linux
import TestKit

/// Debian's dbus-daemon with a stand-in of systemd on it, which does with scopes what systemd does: makes the cgroup of
/// v2, moves the processes there, tells of the job's end, and takes the cgroup away.
struct SystemdStandIn {
    let directory: TemporaryDirectory
    var address: String { "unix:path=\(directory.path("bus"))" }

    init() throws { directory = try TemporaryDirectory("systemd") }

    func running(_ body: () async throws -> Void) async throws {
        try directory.write(
            """
            <busconfig><listen>\(address)</listen><auth>EXTERNAL</auth>
            <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
            </busconfig>
            """, to: "bus.conf")
        try directory.write(Self.program, to: "systemd.py")
        let bus = ["dbus-daemon", "--config-file", directory.path("bus.conf"), "--nofork", "--nopidfile"]
        try await BackgroundServer.running(bus, log: directory.path("bus.log")) { server in
            try await server.untilListening(at: directory.path("bus"))
            // Debian's own: it has jeepney.
            let words = ["/usr/bin/python3", directory.path("systemd.py"), address]
            try await BackgroundServer.running(words, log: directory.path("calls")) { systemd in
                _ = try await systemd.until("systemd answers") { $0.contains("ready") ? true : nil }
                try await body()
            }
        }
    }

    /// What it was asked, one line a call.
    func calls() throws -> [String] {
        try Files.readText(directory.path("calls")).split(separator: "\n").map(String.init)
    }

    private static let program = #"""
        import os, re, signal, sys, time
        from jeepney import HeaderFields, MessageType, new_error, new_method_return, new_signal, DBusAddress
        from jeepney.bus_messages import message_bus
        from jeepney.io.blocking import open_dbus_connection

        root = next(l.split()[4] for l in open("/proc/self/mountinfo") if " - cgroup2 " in l)
        bus = open_dbus_connection(bus=sys.argv[1])
        bus.send_and_get_reply(message_bus.RequestName("org.freedesktop.systemd1"))
        manager = DBusAddress("/org/freedesktop/systemd1", interface="org.freedesktop.systemd1.Manager")
        units, jobs = {}, 0

        def place(slice, unit):
            path, parts = root, slice.removesuffix(".slice").split("-")
            for end in range(1, len(parts) + 1):
                path += "/" + "-".join(parts[:end]) + ".slice"
            return path + "/" + unit

        def start(unit, properties):
            path = place(properties["Slice"][1], unit)
            os.makedirs(path)
            units[unit] = path
            for pid in properties["PIDs"][1]:
                open(path + "/cgroup.procs", "w").write(str(pid))

        def stop(unit):
            path = units.pop(unit)
            if os.path.isdir(path):
                for pid in open(path + "/cgroup.procs").read().split():
                    # One that ends by itself meanwhile is no error.
                    try: os.kill(int(pid), signal.SIGKILL)
                    except ProcessLookupError: pass
            for _ in range(500):
                try:
                    if os.path.isdir(path): os.rmdir(path)
                    break
                except OSError: time.sleep(0.01)
            try:
                while len(path := os.path.dirname(path)) > len(root): os.rmdir(path)
            except OSError: pass

        def finish(call, unit):
            global jobs
            jobs += 1
            job = f"/org/freedesktop/systemd1/job/{jobs}"
            # The signal may be there before the answer.
            signal_ = lambda: bus.send(new_signal(manager, "JobRemoved", "uoss", (jobs, job, unit, "done")))
            if jobs % 2: signal_()
            bus.send(new_method_return(call, "o", (job,)))
            if jobs % 2 == 0: signal_()

        def answer(call):
            member, body = call.header.fields[HeaderFields.member], call.body
            print(member, body, flush=True)
            missing = lambda: bus.send(new_error(call, "org.freedesktop.systemd1.NoSuchUnit", "s", ("Unit not loaded.",)))
            if member == "Get":
                value = {"Version": "252.5 (stand-in)", "ControlGroup": ""}[body[1]]
                bus.send(new_method_return(call, "v", (("s", value),)))
            elif member == "StartTransientUnit":
                if body[0] in units:
                    return bus.send(new_error(call, "org.freedesktop.systemd1.UnitExists", "s", ("Unit exists.",)))
                start(body[0], dict(body[2]))
                finish(call, body[0])
            elif member == "StopUnit":
                if body[0] not in units: return missing()
                stop(body[0])
                finish(call, body[0])
            elif member == "SetUnitProperties":
                if body[0] not in units: return missing()
                bus.send(new_method_return(call))
            else:
                missing()

        print("ready", flush=True)
        while True:
            message = bus.receive()
            if message.header.message_type == MessageType.method_call: answer(message)
        """#
}
