import JSON
import Linux
import OCI
import RuntimeCgroups
import Spawn

extension Verbs {
    /// `ps`: the processes of a container, as numbers or as the machine's ps(1) shows them.
    func ps(_ id: String, format: String, _ words: [String]) throws(RuntimeFailure) -> Int32 {
        let container = try Container(id, root: options.root)
        guard let record = container.record else { throw RuntimeFailure("container \(id) is being made") }
        let pids = try attempt { () throws(SystemError) in try RuntimeCgroup(recorded: record.cgroups).processes() }
        if format == "json" {
            try say(pids.json, .compact)
            return 0
        }
        let shown = try listing(words.isEmpty ? ["-ef"] : words)
        let lines = shown.split(separator: "\n").map(String.init)
        guard let header = lines.first, let column = header.split(separator: " ").firstIndex(of: "PID") else {
            throw RuntimeFailure("ps: the output of ps has no column PID")
        }
        try say(header)
        let wanted = Set(pids.map(String.init))
        for line in lines.dropFirst() {
            let fields = line.split(separator: " ")
            if fields.count > column, wanted.contains(String(fields[column])) { try say(line) }
        }
        return 0
    }

    /// What ps(1) of the machine prints.
    private func listing(_ words: [String]) throws(RuntimeFailure) -> String {
        let output = try attempt { () throws(SystemError) in SharedFD(try Files.memory(named: "ps")) }
        var steps = StepProgram()
        let standardOutput = steps.slot(output.raw)
        steps.add(.unshareFiles(lowest: 3))
        steps.add(.duplicate(standardOutput, to: 1))
        steps.add(.closeFrom(3))
        steps.add(.signalMask(0))
        steps.add(.execute(nil))
        let path =
            ["/usr/bin/ps", "/bin/ps", "/usr/local/bin/ps"].first { Files.isExecutableFile($0) } ?? "/usr/bin/ps"
        let call = ProgramCall(
            path: path, arguments: StringBlock(["ps"] + words), environment: StringBlock(OwnProcess.environment()))
        var launched = try spawning { () throws(SpawnError) in try CompiledProgram(steps).start(call) }
        let process = ProcessFD(adopting: launched.takePidfd())
        let status = try attempt { () throws(SystemError) in try process.reapBlocking().status }
        guard status.isSuccess else { throw RuntimeFailure("ps: \(status)") }
        let bytes = try attempt { () throws(SystemError) in
            try Files.readAll(from: output.raw, limit: 64 << 20, name: "ps")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
