/// Reads the units of systemd that start programs: services, and the timers and sockets that start those.
enum SystemdUnits {
    /// In the order in which one hides the other, systemd.unit(5).
    private static let places = [
        "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
        "/lib/systemd/system",
    ]

    static func read(_ files: borrowing RootedFiles) -> [ProgramOrigin] {
        var units: [String: String] = [:]
        for place in places {
            for name in files.names(place) where units[name] == nil { units[name] = place + "/" + name }
        }
        var origins: [ProgramOrigin] = []
        var services: [String: ProgramOrigin] = [:]
        for (name, file) in units.sorted(by: { $0.key < $1.key }) where name.hasSuffix(".service") {
            guard let origin = service(name, file, unit(files, name, file)) else { continue }
            services[name] = origin
            origins.append(origin)
        }
        for (name, file) in units.sorted(by: { $0.key < $1.key }) {
            let kind: ProgramOrigin.Kind =
                name.hasSuffix(".timer") ? .systemdTimer : name.hasSuffix(".socket") ? .systemdSocket : .systemdService
            guard kind != .systemdService else { continue }
            if let origin = trigger(kind, name, file, unit(files, name, file), services) { origins.append(origin) }
        }
        return origins
    }

    /// What a unit says, with its drop-ins: "Service.ExecStart" and all values that count.
    private static func unit(_ files: borrowing RootedFiles, _ name: String, _ file: String) -> [String: [String]] {
        var values: [String: [String]] = [:]
        read(files.lines(file) ?? [], into: &values)
        for place in places.reversed() {
            let directory = place + "/" + name + ".d"
            for part in files.names(directory) where part.hasSuffix(".conf") {
                read(files.lines(directory + "/" + part) ?? [], into: &values)
            }
        }
        return values
    }

    static func read(_ lines: [String], into values: inout [String: [String]]) {
        var section = ""
        var line = ""
        for part in lines {
            if line.isEmpty, part.hasPrefix("#") || part.hasPrefix(";") { continue }
            if part.hasSuffix("\\") {
                line += part.dropLast() + " "
                continue
            }
            line += part
            defer { line = "" }
            let text = StraceArguments.trimmed(Substring(line))
            if text.hasPrefix("["), text.hasSuffix("]") {
                section = String(text.dropFirst().dropLast())
                continue
            }
            guard let equals = text.firstIndex(of: "=") else { continue }
            let key = section + "." + StraceArguments.trimmed(text[..<equals])
            let value = String(StraceArguments.trimmed(text[text.index(after: equals)...]))
            // An empty value takes back what was said before.
            if value.isEmpty { values[key] = [] } else { values[key, default: []].append(value) }
        }
    }

    private static func service(_ name: String, _ file: String, _ unit: [String: [String]]) -> ProgramOrigin? {
        let commands = ["ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"].flatMap
        {
            (unit["Service." + $0] ?? []).map(plain)
        }
        guard !commands.isEmpty else { return nil }
        let main = unit["Service.ExecStart"]?.first.map(plain) ?? commands[0]
        var programs: [String] = []
        for command in commands {
            let program = String(command.prefix { $0 != " " && $0 != "\t" }.filter { $0 != "\"" })
            if program.hasPrefix("/"), !programs.contains(program) { programs.append(program) }
        }
        return ProgramOrigin(
            kind: .systemdService, file: file, name: name, user: unit["Service.User"]?.last, command: main,
            programs: programs)
    }

    /// Without the marks in front of the path, systemd.service(5).
    private static func plain(_ command: String) -> String {
        String(command.drop { "@-:+!|".contains($0) })
    }

    private static func trigger(
        _ kind: ProgramOrigin.Kind, _ name: String, _ file: String, _ unit: [String: [String]],
        _ services: [String: ProgramOrigin]
    ) -> ProgramOrigin? {
        let stem = String(name.prefix { $0 != "." })
        let section = kind == .systemdTimer ? "Timer" : "Socket"
        let target =
            unit[section + (kind == .systemdTimer ? ".Unit" : ".Service")]?.last
            ?? (unit["Socket.Accept"]?.last == "yes" ? stem + "@.service" : stem + ".service")
        guard let service = services[target] else { return nil }
        let keys =
            kind == .systemdTimer
            ? ["OnCalendar", "OnBootSec", "OnStartupSec", "OnActiveSec", "OnUnitActiveSec", "OnUnitInactiveSec"]
            : ["ListenStream", "ListenDatagram", "ListenSequentialPacket", "ListenFIFO"]
        let schedule = keys.flatMap { key in (unit["\(section).\(key)"] ?? []).map { "\(key)=\($0)" } }
        return ProgramOrigin(
            kind: kind, file: file, name: name, schedule: schedule.joined(separator: " "), user: service.user,
            command: service.command, programs: service.programs)
    }
}
