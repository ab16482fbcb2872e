/// Reads which programs web servers run for requests (CGI): Apache's ScriptAlias and ExecCGI, nginx's fastcgi_pass to
/// fcgiwrap, lighttpd's cgi.assign.
enum WebServers {
    private static let apache = [
        "/etc/apache2/apache2.conf", "/etc/apache2/conf-enabled", "/etc/apache2/sites-enabled",
        "/etc/apache2/mods-enabled",
        "/etc/httpd/conf/httpd.conf", "/etc/httpd/conf.d",
    ]
    private static let nginx = [
        "/etc/nginx/nginx.conf", "/etc/nginx/conf.d", "/etc/nginx/sites-enabled", "/etc/nginx/snippets",
    ]
    private static let lighttpd = ["/etc/lighttpd/lighttpd.conf", "/etc/lighttpd/conf-enabled"]

    static func read(_ files: borrowing RootedFiles) -> [ProgramOrigin] {
        var origins: [ProgramOrigin] = []
        for (name, places, reader) in [
            ("apache", apache, apacheLines), ("nginx", nginx, nginxLines), ("lighttpd", lighttpd, lighttpdLines),
        ] {
            for place in places {
                let inside = files.names(place).map { place + "/" + $0 }
                for file in inside.isEmpty ? [place] : inside {
                    guard let lines = files.lines(file) else { continue }
                    for (line, path) in reader(lines) {
                        origins.append(
                            ProgramOrigin(
                                kind: .cgi, file: file, line: line, name: "\(name) \(path)", command: path,
                                programs: path.hasSuffix("/") ? [] : [path]))
                    }
                }
            }
        }
        return origins
    }

    /// Words of a directive; quotes keep a word together.
    private static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for character in line {
            switch character {
            case "\"": isQuoted.toggle()
            case " " where !isQuoted, "\t" where !isQuoted, ";" where !isQuoted, "(" where !isQuoted,
                ")" where !isQuoted,
                "," where !isQuoted:
                if !word.isEmpty { words.append(word) }
                word = ""
            default: word.append(character)
            }
        }
        return word.isEmpty ? words : words + [word]
    }

    private static func apacheLines(_ lines: [String]) -> [(Int, String)] {
        var found: [(Int, String)] = []
        var directory: String?
        for (index, line) in lines.enumerated() {
            let fields = words(line)
            guard let first = fields.first, !first.hasPrefix("#") else { continue }
            switch first.lowercased() {
            case "scriptalias" where fields.count > 2 && fields[2].hasPrefix("/"): found.append((index + 1, fields[2]))
            case "<directory" where fields.count > 1:
                directory = String(fields[1].filter { $0 != ">" })
            case "</directory>": directory = nil
            case "options":
                if let directory, directory.hasPrefix("/"),
                    fields.contains(where: { ["+ExecCGI", "ExecCGI"].contains($0) })
                {
                    found.append((index + 1, directory.hasSuffix("/") ? directory : directory + "/"))
                }
            default: break
            }
        }
        return found
    }

    /// Blocks that pass to fcgiwrap, by the script's path or by the root that it is found below.
    private static func nginxLines(_ lines: [String]) -> [(Int, String)] {
        struct Block {
            var root: String?
            var script: String?
            var pass: Int?

            mutating func take(_ words: [String], line: Int) {
                guard words.count > 1 else { return }
                switch words[0] {
                case "root": root = words[1]
                case "fastcgi_param" where words[1] == "SCRIPT_FILENAME" && words.count > 2: script = words[2]
                case "fastcgi_pass" where words[1].contains("fcgiwrap"): pass = line
                default: break
                }
            }
        }
        var found: [(Int, String)] = []
        var blocks = [Block()]
        var statement = ""
        for (index, line) in lines.enumerated() {
            for character in line.prefix(while: { $0 != "#" }) + " " {
                switch character {
                case ";":
                    blocks[blocks.count - 1].take(words(statement), line: index + 1)
                    statement = ""
                case "{":
                    blocks.append(Block(root: blocks.last!.root, script: blocks.last!.script))
                    statement = ""
                case "}":
                    statement = ""
                    // A file with more ends than beginnings is read on.
                    guard blocks.count > 1, let block = blocks.popLast(), let line = block.pass else { break }
                    if let path = scriptPlace(block.script, root: block.root) { found.append((line, path)) }
                default: statement.append(character)
                }
            }
        }
        return found
    }

    /// "/usr/lib/cgi-bin/report.cgi", or the directory before the first variable.
    private static func scriptPlace(_ script: String?, root: String?) -> String? {
        guard let script, !script.hasPrefix("$document_root") else {
            return root.map { $0.hasSuffix("/") ? $0 : $0 + "/" }
        }
        guard script.hasPrefix("/") else { return nil }
        guard let variable = script.firstIndex(of: "$") else { return script }
        let fixed = script[..<variable]
        return fixed.hasSuffix("/") ? String(fixed) : String(fixed) + "/"
    }

    /// cgi.assign = ( ".pl" => "/usr/bin/perl" )
    private static func lighttpdLines(_ lines: [String]) -> [(Int, String)] {
        var isInside = false
        return lines.enumerated().flatMap { index, line -> [(Int, String)] in
            guard !line.drop(while: { $0 == " " || $0 == "\t" }).hasPrefix("#") else { return [] }
            if line.contains("cgi.assign") { isInside = true }
            guard isInside else { return [] }
            defer { if line.contains(")") { isInside = false } }
            return words(line).filter { $0.hasPrefix("/") }.map { (index + 1, $0) }
        }
    }
}
