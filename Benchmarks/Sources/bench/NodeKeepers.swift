import Foundation

/// Keepers that a node has started, which outlive it.
enum NodeKeepers {
    /// - Parameter run: the node's run directory.
    static func pids(run: String) -> [pid_t] {
        let pids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap({ pid_t($0) }) ?? []
        return pids.filter { pid in
            guard let line = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/cmdline")) else { return false }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return words.first?.hasSuffix("forkless-keeper") == true && words.contains(run)
        }
    }

    /// Ends them, with all that runs under them.
    static func stop(run: String) {
        for pid in pids(run: run) {
            kill(pid, SIGTERM)
            for _ in 0..<1000 where kill(pid, 0) == 0 { usleep(10_000) }
            kill(pid, SIGKILL)
        }
    }

    /// What node and keeper have in memory, in bytes.
    static func memory(of node: ServerProcess, run: String) throws -> Int {
        guard let keeper = pids(run: run).first,
            let text = try? String(contentsOfFile: "/proc/\(keeper)/status", encoding: .utf8),
            let resident = text.firstMatch(of: /VmRSS:\s+([0-9]+) kB/).flatMap({ Int($0.1) })
        else { throw BenchmarkError("read the memory of the node's keeper") }
        return try node.memory("VmRSS") + resident << 10
    }
}
