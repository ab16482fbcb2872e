import JSON
import Linux
import OCI

extension Verbs {
    /// `state`: what a container is doing, as JSON.
    func state(_ id: String) throws(RuntimeFailure) {
        let container = try Container(id, root: options.root)
        let annotations = (try? container.directory.spec().annotations) ?? [:]
        try say(container.state(annotations).json)
    }

    /// `list`: all containers below the root.
    func list(format: String, isQuiet: Bool) throws(RuntimeFailure) {
        var containers: [(Container, RuntimeState)] = []
        let users = isQuiet ? [] : Users.ofMachine().users
        for id in try StateDirectory.ids(root: options.root) {
            // One that goes away meanwhile is no error.
            guard let container = try? Container(id, root: options.root) else { continue }
            var state = container.state((try? container.directory.spec().annotations) ?? [:])
            state.owner = container.directory.owner(among: users)
            containers.append((container, state))
        }
        if isQuiet {
            for (container, _) in containers { try say(container.directory.id) }
        } else if format == "json" {
            try say(.array(containers.map { $0.1.json }), .compact)
        } else {
            let rows = containers.map { _, state in
                [state.id, "\(state.pid)", state.status.rawValue, state.bundle, state.created ?? "", state.owner ?? ""]
            }
            try say(Table.text([["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]] + rows))
        }
    }
}

/// Columns of text, each as wide as its widest cell.
enum Table {
    static func text(_ rows: [[String]]) -> String {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { $0[column].utf8.count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).enumerated().map { index, cell in
                index == row.count - 1 ? cell.0 : cell.0 + String(repeating: " ", count: cell.1 - cell.0.utf8.count + 3)
            }.joined()
        }.joined(separator: "\n")
    }
}
