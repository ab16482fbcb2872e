/// Reads what inetd and xinetd start for connections: inetd.conf(5), xinetd.conf(5).
enum InternetServers {
    static func read(_ files: borrowing RootedFiles) -> [ProgramOrigin] {
        var origins = inetd(files, "/etc/inetd.conf")
        for name in files.names("/etc/inetd.d") { origins += inetd(files, "/etc/inetd.d/" + name) }
        origins += xinetd(files, "/etc/xinetd.conf")
        for name in files.names("/etc/xinetd.d") where !name.contains(".") && !name.hasSuffix("~") {
            origins += xinetd(files, "/etc/xinetd.d/" + name)
        }
        return origins
    }

    private static func words(_ line: String) -> [String] {
        line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
    }

    private static func inetd(_ files: borrowing RootedFiles, _ path: String) -> [ProgramOrigin] {
        (files.lines(path) ?? []).enumerated().compactMap { index, line in
            let fields = words(line)
            // service type protocol wait user server arguments
            guard fields.count >= 6, !fields[0].hasPrefix("#"), fields[5] != "internal" else { return nil }
            let user = fields[4].prefix { $0 != "." && $0 != ":" && $0 != "/" }
            // Debian's configuration starts most servers through tcpd, whose first argument is the server's name.
            let server =
                fields[5].hasSuffix("/tcpd") && fields.count > 6 && fields[6].hasPrefix("/") ? fields[6] : fields[5]
            return ProgramOrigin(
                kind: .inetd, file: path, line: index + 1, name: fields[0],
                schedule: "\(fields[1]) \(fields[2]) \(fields[3])",
                user: String(user), command: fields[5...].joined(separator: " "),
                programs: [server, fields[5]].filter { $0.hasPrefix("/") }.reduce(into: []) { all, program in
                    if !all.contains(program) { all.append(program) }
                })
        }
    }

    private static func xinetd(_ files: borrowing RootedFiles, _ path: String) -> [ProgramOrigin] {
        var origins: [ProgramOrigin] = []
        var service: (name: String, line: Int)?
        var values: [String: String] = [:]
        for (index, line) in (files.lines(path) ?? []).enumerated() {
            let fields = words(line)
            guard let first = fields.first, !first.hasPrefix("#") else { continue }
            if first == "service", fields.count > 1 {
                service = (fields[1], index + 1)
                values = [:]
            } else if first == "}" {
                if let service, let origin = origin(service, values, path) { origins.append(origin) }
                service = nil
            } else if let equals = line.firstIndex(of: "=") {
                let key = words(String(line[..<equals])).first ?? ""
                values[key] = words(String(line[line.index(after: equals)...])).joined(separator: " ")
            }
        }
        return origins
    }

    private static func origin(
        _ service: (name: String, line: Int), _ values: [String: String], _ path: String
    ) -> ProgramOrigin? {
        guard values["disable"] != "yes", let server = values["server"], server.hasPrefix("/") else { return nil }
        let place = [values["socket_type"], values["protocol"], values["port"].map { "port " + $0 }].compactMap { $0 }
        return ProgramOrigin(
            kind: .xinetd, file: path, line: service.line, name: service.name, schedule: place.joined(separator: " "),
            user: values["user"],
            command: ([server] + [values["server_args"]].compactMap { $0 }).joined(separator: " "),
            programs: [server])
    }
}
