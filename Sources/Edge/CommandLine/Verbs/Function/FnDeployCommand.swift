import ArgumentParser
import Deploying
import JSON
import Linux
import Synchronization

/// `forkless fn deploy`
struct FnDeployCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "deploy", abstract: "Makes a function or changes it, or everything that a template says.",
        discussion: """
            forkless fn deploy count -- wc -w
            forkless fn deploy scorer --code src --runtime python3.11 --handler app.run
            forkless fn deploy --template template.yaml

            A program after "--" becomes a function as it is: each call is a fresh process, which reads the event on \
            standard input and answers on standard output. --code is a directory, a zip or a single file. Of a \
            function that is there, only what the flags say is changed; deploying the same again changes nothing. The \
            template has the form of AWS SAM; what of it is not supported is an error that names the place.
            """)

    @OptionGroup(title: "Code") var code: FunctionCodeFlags
    @OptionGroup(title: "Settings") var settings: FunctionSettingFlags

    @Option(name: [.customShort("t"), .customLong("template")], help: ArgumentHelp("A template in the form of AWS SAM.", valueName: "file"))
    var template: String?

    @Option(
        name: .customLong("parameter-overrides"), parsing: .upToNextOption,
        help: ArgumentHelp("Values of the template's parameters.", valueName: "name=value"))
    var overrides: [String] = []

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The function's name; with a template there is none.") var name: String?
    @Argument(parsing: .postTerminator, help: ArgumentHelp("After \"--\": a program and its arguments.", valueName: "program"))
    var program: [String] = []

    func run() async throws {
        try await withLambda(node) { client in
            let plan = try await plan()
            let changes = Mutex<[DeploymentChange]>([])
            let format = output.output
            var deployer = Deployer(client) { change in
                changes.withLock { $0.append(change) }
                if format == .text { try? StandardStreams.write(Self.line(change)) }
            }
            let outputs = try await deployer.carryOut(plan)
            switch format {
            case .text: for output in outputs { try StandardStreams.write("\(output.name): \(output.value)\n") }
            case .json:
                var values = JSONObject()
                for output in outputs { values[output.name] = .string(output.value) }
                try StandardStreams.write([
                    "changes": .array(changes.withLock { $0.map(\.json) }), "outputs": .object(values),
                ])
            }
        }
    }

    private static func line(_ change: DeploymentChange) -> String {
        let details = change.details.isEmpty ? "" : " (\(change.details))"
        return "\(change.kind.rawValue) \(change.what) \(change.name)\(details)\n"
    }

    private func plan() async throws -> DeploymentPlan {
        let directory = OwnProcess.workingDirectory() ?? "/"
        guard let template = try nonempty(template, "--template") else {
            guard overrides.isEmpty else { throw FlagError("--parameter-overrides", nil, "it belongs to --template") }
            guard let name else { throw FlagError("deploy", nil, "neither a function's name nor --template is given") }
            var plan = DeploymentPlan()
            plan.functions = [try declaration(name, directory)]
            return plan
        }
        guard name == nil, program.isEmpty, code.isEmpty, settings.isEmpty else {
            throw FlagError("--template", template, "the template says everything", advice: "Leave name, program and other flags out.")
        }
        let path = template.hasPrefix("/") ? template : directory + "/" + template
        let bytes = try await BlockingPool.shared.run { () throws(SystemError) in try Files.read(path) }
        let region = OwnProcess.variable("AWS_REGION").flatMap { $0.isEmpty ? nil : $0 } ?? "us-east-1"
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? directory
        let place = DeploymentPlace(region: region, directory: parent.isEmpty ? "/" : parent)
        return try Template.plan(bytes, at: place, overrides: try NameValueFlag.pairs(overrides, flag: "--parameter-overrides"))
    }

    private func declaration(_ name: String, _ directory: String) throws -> FunctionDeclaration {
        var function = FunctionDeclaration(name: name)
        try code.write(into: &function, program: program, directory: directory)
        try settings.write(into: &function)
        return function
    }
}
