import ArgumentParser
import Deploying
import JSON

/// What a function runs.
struct FunctionCodeFlags: ParsableArguments {
    @Option(name: .customLong("code"), help: ArgumentHelp("A directory, a zip or a file.", valueName: "path"))
    var code: String?

    @Option(name: .customLong("image"), help: ArgumentHelp("An image of the node that speaks the Runtime API.", valueName: "image"))
    var image: String?

    @Option(
        name: .customLong("runtime"),
        help: ArgumentHelp("provided.al2023 (the file bootstrap), python3.x or forkless.stdio.", valueName: "name"))
    var runtime: String?

    @Option(name: .customLong("handler"), help: ArgumentHelp("What the runtime calls: MODULE.FUNCTION for Python.", valueName: "name"))
    var handler: String?

    @Option(name: .customLong("layer"), help: ArgumentHelp("The ARN of a layer's version; the last is on top.", valueName: "arn"))
    var layers: [String] = []

    var isEmpty: Bool { code == nil && image == nil && runtime == nil && handler == nil && layers.isEmpty }

    /// - Parameter program: the words after "--".
    func write(into function: inout FunctionDeclaration, program: [String], directory: String) throws(FlagError) {
        if let code = try nonempty(code, "--code") {
            guard image == nil else { throw FlagError("--image", image, "--code is given, too: a function has one of them") }
            function.code = .path(code.hasPrefix("/") ? code : directory + "/" + code)
        }
        if let image = try nonempty(image, "--image") { function.code = .image(image) }
        if let runtime = try nonempty(runtime, "--runtime") { function.configuration["Runtime"] = .string(runtime) }
        if let handler = try nonempty(handler, "--handler") { function.configuration["Handler"] = .string(handler) }
        if runtime?.hasPrefix("provided") == true, handler == nil { function.configuration["Handler"] = "bootstrap" }
        if !layers.isEmpty { function.layers = layers.map { TemplateText($0) } }
        if !program.isEmpty { try write(program, into: &function) }
    }

    /// An unchanged program. The API wants code of every function; that of a program of the machine is a note.
    private func write(_ program: [String], into function: inout FunctionDeclaration) throws(FlagError) {
        for (flag, value) in [("--runtime", runtime), ("--handler", handler), ("--image", image)] where value != nil {
            throw FlagError(flag, value, "a program after \"--\" is run as it is", advice: "Leave one of them out.")
        }
        function.configuration["Runtime"] = "forkless.stdio"
        function.configuration["Handler"] = .string(program.map { ShellWord.quoted($0) }.joined(separator: " "))
        if code == nil { function.code = .inline(name: "README", text: "This function runs a program of the machine.\n") }
    }
}

/// `NAME=value` flags.
enum NameValueFlag {
    static func pairs(_ flags: [String], flag: String) throws(FlagError) -> [String: String] {
        var pairs: [String: String] = [:]
        for text in flags {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else { throw FlagError(flag, text, "not NAME=VALUE") }
            pairs[parts[0]] = parts[1]
        }
        return pairs
    }
}
