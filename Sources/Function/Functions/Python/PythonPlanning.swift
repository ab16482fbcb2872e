package import Lambda
internal import Linux
internal import Sandbox
internal import Spawn

/// `python3.x`: AWS's runtime client awslambdaric, as it is, with an interpreter of this machine; forked from a zygote
/// where the function's settings say so.
package struct PythonPlanning: RuntimePlanning {
    private let plans: FunctionPlans
    private let runtimes: PythonRuntimes
    private let zygotes: ZygoteShelf

    /// - Parameter zygotes: nil: those of the launcher.
    package init(_ launcher: SandboxLauncher, runtimes: PythonRuntimes, zygotes: ZygoteShelf? = nil) {
        plans = launcher.plans
        self.runtimes = runtimes
        self.zygotes = zygotes ?? launcher.zygotes
    }

    package func plan(_ function: DeployedFunction) async throws(InstanceStartFailure) -> InstanceRecipe {
        guard case .python(let name) = function.runtime else { preconditionFailure("\(function.runtime) is no Python") }
        let runtime = try await find(name)
        var plan = try await plans.onMachine(function)
        if !runtime.isShownByMachine {
            plan.mounts.append(Mount(.bind(runtime.prefix), at: runtime.prefix, readOnly: true))
        }
        if let packages = runtime.packages {
            plan.mounts.append(Mount(.bind(packages), at: FunctionEnvironment.runtimeDirectory, readOnly: true))
        }
        let environment = FunctionEnvironment.common(of: Self.completed(function, name), region: plans.ground.region)
        // Without the directory of a user's own packages (-s) and without writing beside what is read-only (-B).
        let arguments = [runtime.interpreter, "-s", "-B", "-m", "awslambdaric", function.handler]
        var recipe = InstanceRecipe(
            plan: plan,
            call: ProgramCall(path: runtime.interpreter, arguments: StringBlock(arguments), environment: environment))
        recipe.share = plans.limits(of: function, isInitializing: false)
        recipe.extensions = try await plans.extensions(in: try await plans.opt(function))
        if Self.isForked(function, recipe) {
            var call = recipe.call
            call.arguments = StringBlock([runtime.interpreter, "-s", "-B", "-c", ZygotePython.source])
            recipe.starter = zygotes.starter(function, recipe, zygote: call)
        }
        return recipe
    }

    private func find(_ name: String) async throws(InstanceStartFailure) -> PythonRuntime {
        let runtimes = runtimes
        let found: Result<PythonRuntime, InstanceStartFailure>
        do {
            found = try await BlockingPool.shared.run { () throws(SystemError) in
                Result { () throws(InstanceStartFailure) in try runtimes.find(name) }
            }
        } catch { throw InstanceStartFailure(errorType: "Sandbox.Failure", errorMessage: "look for \(name): \(error)") }
        return try found.get()
    }

    /// Several calls at once are forks of awslambdaric's own, and extensions want to be there before the runtime is:
    /// neither begins in a process that is there already.
    private static func isForked(_ function: DeployedFunction, _ recipe: InstanceRecipe) -> Bool {
        if case .concurrent(let count) = function.settings.freshness, count > 1 { return false }
        return function.settings.start == .zygote && recipe.extensions.isEmpty
    }

    /// The function with what Python wants in its environment: where modules are looked for, as Lambda has it, and
    /// libraries that would start a thread for each processor of the machine, of which an instance has only a share.
    static func completed(_ function: DeployedFunction, _ runtime: String) -> DeployedFunction {
        var function = function
        let path = [
            FunctionEnvironment.taskRoot, "/opt/python/lib/\(runtime)/site-packages", "/opt/python",
            function.environment["PYTHONPATH"] ?? "", FunctionEnvironment.runtimeDirectory,
        ]
        function.environment["PYTHONPATH"] = path.filter { !$0.isEmpty }.joined(separator: ":")
        let threads = function.settings.start == .zygote ? 1 : max(1, function.memoryMB / 1769)
        for name in ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"] where function.environment[name] == nil {
            function.environment[name] = "\(threads)"
        }
        return function
    }
}
