import ArgumentParser
import Deploying
import JSON
import Linux

/// How a function runs.
struct FunctionSettingFlags: ParsableArguments {
    @Option(name: [.customShort("m"), .customLong("memory")], help: ArgumentHelp("Of an instance; its share of the processors goes with it (default: 128m).", valueName: "size"))
    var memory: String?

    @Option(name: .customLong("timeout"), help: ArgumentHelp("Seconds for a call (default: 3).", valueName: "seconds"))
    var timeout: Int?

    @Option(
        name: [.customShort("e"), .customLong("env")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set a variable; those not named are dropped when one is.", valueName: "name=value"))
    var environment: [String] = []

    @Option(name: .customLong("description"), help: ArgumentHelp("A sentence for lists.", valueName: "text"))
    var description: String?

    @Option(name: .customLong("tmp"), help: ArgumentHelp("How much an instance may write to /tmp (default: 512m).", valueName: "size"))
    var temporary: String?

    @Option(name: .customLong("mount"), help: ArgumentHelp("Show a directory of the machine below /mnt, writable.", valueName: "dir:/mnt/name"))
    var mounts: [String] = []

    @Option(name: .customLong("tag"), help: ArgumentHelp("Set a tag.", valueName: "name=value"))
    var tags: [String] = []

    @Option(name: .customLong("key"), help: ArgumentHelp("Calls with one key have one effect: header:NAME, path:$.a.b, message or sdk.", valueName: "source"))
    var key: String?

    @Option(name: .customLong("order"), help: ArgumentHelp("Calls with one value of this run in order: as for --key.", valueName: "source"))
    var order: String?

    @Option(name: .customLong("freshness"), help: ArgumentHelp("reuse, fresh (an instance for each call) or concurrent:N.", valueName: "how"))
    var freshness: String?

    @Option(name: .customLong("start"), help: ArgumentHelp("How instances start: cold or zygote.", valueName: "how"))
    var start: String?

    @Option(name: .customLong("input"), help: ArgumentHelp("What a program reads: event, body (of each record) or file.", valueName: "what"))
    var input: String?

    @Option(name: .customLong("deadline-header"), help: ArgumentHelp("The header with the caller's deadline, milliseconds since 1970.", valueName: "name"))
    var deadlineHeader: String?

    @Flag(name: .customLong("record"), help: "Keep payloads and answers in the ledger, so that they can be run again.")
    var records = false

    @Option(name: .customLong("reserved"), help: ArgumentHelp("Instances that are this function's alone, and its most.", valueName: "n|none"))
    var reserved: String?

    @Flag(name: .customLong("url"), help: "Give it a URL that anybody may call.")
    var hasURL = false

    var isEmpty: Bool {
        memory == nil && timeout == nil && environment.isEmpty && description == nil && temporary == nil && mounts.isEmpty
            && settings.isEmpty && tags.isEmpty && !records && reserved == nil && !hasURL
    }

    private var settings: [(flag: String, tag: String, value: String)] {
        [
            ("--key", "key", key), ("--order", "order", order), ("--freshness", "freshness", freshness), ("--start", "start", start),
            ("--input", "input", input), ("--deadline-header", "deadline-header", deadlineHeader),
        ].compactMap { flag, tag, value in value.map { (flag, "forkless:\(tag)", $0) } }
    }

    func write(into function: inout FunctionDeclaration) throws(FlagError) {
        if let memory { function.configuration["MemorySize"] = .integer(Int64(try Self.megabytes(memory, "--memory"))) }
        if let timeout { function.configuration["Timeout"] = .integer(Int64(timeout)) }
        if let description { function.configuration["Description"] = .string(description) }
        if let temporary { function.configuration["EphemeralStorage"] = ["Size": .integer(Int64(try Self.megabytes(temporary, "--tmp")))] }
        if !mounts.isEmpty {
            var systems: [JSONValue] = []
            for mount in mounts { systems.append(try Self.fileSystem(mount)) }
            function.configuration["FileSystemConfigs"] = .array(systems)
        }
        if !environment.isEmpty {
            function.environment = [:]
            for line in try EnvironmentFlags.variables(files: [], flags: environment, own: OwnProcess.variable) {
                let name = String(line.prefix { $0 != "=" })
                function.environment?[name] = TemplateText(String(line.dropFirst(name.count + 1)))
            }
        }
        try writeTags(into: &function)
        if let reserved { function.reserved = try ReservedFlag.parse(reserved) }
        if hasURL { function.url = .value(["AuthType": "NONE", "InvokeMode": "BUFFERED"]) }
    }

    private func writeTags(into function: inout FunctionDeclaration) throws(FlagError) {
        var all = try NameValueFlag.pairs(tags, flag: "--tag")
        for setting in settings {
            guard let value = try nonempty(setting.value, setting.flag) else { continue }
            all[setting.tag] = value
        }
        if records { all["forkless:record"] = "on" }
        guard !all.isEmpty else { return }
        function.tags = all
        function.keepsOtherTags = true
    }

    /// Lambda's MB are 2^20 bytes, and whole.
    private static func megabytes(_ text: String, _ flag: String) throws(FlagError) -> Int {
        // A number alone is MB, as everywhere in Lambda.
        if let number = Int(text) { return number }
        let bytes = try ByteAmount.parse(text, flag: flag)
        guard bytes % (1 << 20) == 0 else { throw FlagError(flag, text, "not a whole number of megabytes") }
        return bytes >> 20
    }

    private static func fileSystem(_ text: String) throws(FlagError) -> JSONValue {
        guard let colon = text.lastIndex(of: ":"), text.hasPrefix("/"), text[colon...].hasPrefix(":/mnt/") else {
            throw FlagError("--mount", text, "not DIR:/mnt/NAME", advice: "Both are absolute paths, the second below /mnt.")
        }
        return [
            "Arn": .string("arn:forkless:directory:::\(text[..<colon])"),
            "LocalMountPath": .string(String(text[text.index(after: colon)...])),
        ]
    }
}

/// `--reserved N|none`
enum ReservedFlag {
    static func parse(_ text: String) throws(FlagError) -> FunctionDeclaration.Setting<Int> {
        if text == "none" { return .absent }
        guard let number = Int(text), number >= 0 else {
            throw FlagError("--reserved", text, "not a number of instances", advice: "Write a number, or none.")
        }
        return .value(number)
    }
}
