package import Lambda
internal import Linux
internal import Spawn

/// `provided`, `provided.al2`, `provided.al2023`: the executable `bootstrap` of the code or of a layer.
package struct BootstrapPlanning: RuntimePlanning {
    private let plans: FunctionPlans

    private let zygotes: ZygoteShelf?

    /// - Parameter zygotes: for bootstraps that can be forked (docs/zygote.md) and say so by forkless:start; nil: none are.
    package init(_ plans: FunctionPlans, zygotes: ZygoteShelf?) {
        self.plans = plans
        self.zygotes = zygotes
    }

    package func plan(_ function: DeployedFunction) async throws(InstanceStartFailure) -> InstanceRecipe {
        let plan = try await plans.onMachine(function)
        let opt = try await plans.opt(function)
        let places = [(function.codeDirectory ?? "", FunctionEnvironment.taskRoot), (opt, "/opt")]
        let path = try Self.find(in: places, function.name)
        let environment = FunctionEnvironment.common(of: function, region: plans.ground.region)
        var recipe = InstanceRecipe(
            plan: plan, call: ProgramCall(path: path, arguments: [path], environment: environment))
        recipe.share = plans.limits(of: function, isInitializing: false)
        recipe.extensions = try await plans.extensions(in: opt)
        if function.settings.start == .zygote, recipe.extensions.isEmpty {
            recipe.starter = zygotes?.starter(function, recipe, zygote: recipe.call)
        }
        return recipe
    }

    /// The first place that has a bootstrap, as it is seen inside.
    private static func find(
        in places: [(outside: String, inside: String)], _ name: String
    ) throws(InstanceStartFailure) -> String {
        var refused: [String] = []
        for place in places {
            let file = place.outside + "/bootstrap"
            guard let status = try? Files.status(file) else { continue }
            // What the code's own links lead to is decided inside; here only what cannot run at all is told early.
            if status.kind == .regular, Files.isExecutableFile(file) { return place.inside + "/bootstrap" }
            refused.append("\(place.inside)/bootstrap is \(status.kind == .regular ? "not executable" : "no regular file")")
        }
        let found = refused.isEmpty ? "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]" : refused.joined(separator: ", ")
        throw .invalidEntrypoint(found)
    }
}
