internal import Engine
package import Lambda
internal import Linux
internal import Sandbox
internal import Spawn

/// `forkless.stdio`: the program that the handler names, of the code or of the machine, as it is.
package struct StdioPlanning: RuntimePlanning {
    private let plans: FunctionPlans

    package init(_ plans: FunctionPlans) { self.plans = plans }

    package func plan(_ function: DeployedFunction) async throws(InstanceStartFailure) -> InstanceRecipe {
        let words: [String]
        do { words = try ShellWords.split(function.handler) } catch {
            throw .invalidEntrypoint("the handler \"\(function.handler)\": \(error)")
        }
        guard let word = words.first else { throw .invalidEntrypoint("the handler is empty: it names the program to run") }
        let path = try Self.path(of: word, code: function.codeDirectory)
        var plan = try await plans.onMachine(function)
        // A copy has no end of initialisation that could be seen in every case.
        plan.limits = plans.limits(of: function, isInitializing: false)
        let environment = FunctionEnvironment.common(of: function, region: plans.ground.region, hasRuntimeAPI: false)
        return InstanceRecipe(plan: plan, call: ProgramCall(path: path, arguments: StringBlock(words), environment: environment))
    }

    /// Where the program is, as it is seen inside: in the code first, then on the machine's PATH.
    private static func path(of word: String, code: String?) throws(InstanceStartFailure) -> String {
        if word.hasPrefix("/") { return word }
        if let code, Files.isExecutableFile("\(code)/\(word)") { return "\(FunctionEnvironment.taskRoot)/\(word)" }
        guard !word.contains("/") else {
            throw .invalidEntrypoint("there is no executable file \(word) in the code")
        }
        for directory in DefaultEnvironment.path.split(separator: ":") where Files.isExecutableFile("\(directory)/\(word)") {
            return "\(directory)/\(word)"
        }
        throw .invalidEntrypoint(
            "there is no executable file \(word) in the code, nor on this machine in \(DefaultEnvironment.path)")
    }
}
