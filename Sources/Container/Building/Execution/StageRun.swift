internal import Engine
internal import Images
internal import Linux
internal import OCI

/// A stage that is built, or that is being built.
struct BuiltStage: Sendable {
    var evaluation: StageEvaluation
    var stack: StageStack
    /// Of the image that it began from; its unknown members stay.
    var config: ImageConfig
}

/// Builds one stage, instruction by instruction.
struct StageRun {
    let session: BuildSession
    let node: BuildGraph.Node
    /// By number: those before it that are built.
    let stages: [Int: BuiltStage]
    /// How many steps the whole build has told of.
    private(set) var lastStep: Int
    private(set) var cachedSteps = 0

    init(_ session: BuildSession, _ node: BuildGraph.Node, _ stages: [Int: BuiltStage], lastStep: Int) {
        self.session = session
        self.node = node
        self.stages = stages
        self.lastStep = lastStep
    }

    mutating func build() async throws(BuildFailure) -> BuiltStage {
        let platform = node.stage.platform.map { "--platform=\($0) " } ?? ""
        let name = node.stage.name.map { " AS \($0)" } ?? ""
        var stage = try await told("FROM \(platform)\(node.stage.base)\(name)", line: node.stage.line, isFirst: true) {
            run async throws(BuildFailure) in (try await run.begin(), nil)
        }
        for (index, step) in node.stage.steps.enumerated() {
            let before = stage
            stage = try await told(step.text, line: step.line, number: index + 2) { run async throws(BuildFailure) in
                var next = before
                let isCached = try await run.take(step, &next)
                return (next, isCached)
            }
        }
        return stage
    }

    /// Tells of a step, does it, and tells how it went.
    private mutating func told(
        _ text: String, line: Int, number: Int = 1, isFirst: Bool = false,
        _ body: (StageRun) async throws(BuildFailure) -> (BuiltStage, isCached: Bool?)
    ) async throws(BuildFailure) -> BuiltStage {
        lastStep += 1
        let (session, step, steps) = (session, lastStep, session.order.graph.stepCount)
        if Task.isCancelled { throw .cancelled }
        await session.tell(BuildProgress(.began, step: step, steps: steps, text: title(text, number)))
        let start = ContinuousClock.now
        do throws(BuildFailure) {
            let (stage, isCached) = try await body(self)
            if isCached == true { cachedSteps += 1 }
            let milliseconds = Int((ContinuousClock.now - start) / .milliseconds(1))
            await session.tell(
                BuildProgress(isCached == true ? .cached : .done, step: step, steps: steps, milliseconds: milliseconds))
            return stage
        } catch {
            let failure = error.at(line: line)
            await session.tell(
                BuildProgress(
                    .failed, step: step, steps: steps, text: failure.described(in: session.order.fileName)))
            throw failure
        }
    }

    /// As Docker has it: "[builder 2/5] RUN make", without the name where there is one stage.
    private func title(_ text: String, _ number: Int) -> String {
        let count = "\(number)/\(node.stage.steps.count + 1)"
        guard session.order.graph.nodes.count > 1 else { return "[\(count)] \(text)" }
        return "[\(node.stage.name ?? "stage-\(node.stage.number)") \(count)] \(text)"
    }

    // FROM.

    private func begin() async throws(BuildFailure) -> BuiltStage {
        let order = session.order
        switch node.base {
        case .scratch:
            return BuiltStage(
                evaluation: StageEvaluation(
                    on: nil, given: order.arguments, globals: order.graph.globals, escape: order.dockerfile.escape),
                stack: StageStack(), config: ImageConfig(platform: session.platform))
        case .stage(let number):
            var stage = stages[number]!
            stage.evaluation = stage.evaluation.continued
            return stage
        case .image(let name):
            let found = try await session.image(name)
            guard found.config.defaults.onBuild.isEmpty else {
                throw BuildFailure(
                    .unsupported, "the image \(name) has ONBUILD instructions, which are not supported: "
                        + found.config.defaults.onBuild.joined(separator: "; "))
            }
            return BuiltStage(
                evaluation: StageEvaluation(
                    on: found.config.defaults, given: order.arguments, globals: order.graph.globals,
                    escape: order.dockerfile.escape),
                stack: found.stack, config: found.config)
        }
    }

    // Instructions.

    /// Whether the step was in the cache; nil: there was nothing to do for it.
    private func take(_ step: Step, _ stage: inout BuiltStage) async throws(BuildFailure) -> Bool? {
        let action: StepAction
        do throws(DockerfileError) {
            action = try stage.evaluation.apply(step, origin: node.copies[step.line])
        } catch { throw BuildFailure(error) }
        switch action {
        case .configuration:
            stage.stack.add(nil, created: session.created, by: step.text)
            return nil
        case .run(let run):
            let step = LayerStep(session: session, stack: stage.stack, title: step.text, number: lastStep)
            let result = try await step.run(run)
            stage.stack.add(result.record.layer, created: result.record.created, by: Self.history(run))
            return result.isCached
        case .copy(let copy):
            let tree = try await tree(for: copy)
            let layerStep = LayerStep(session: session, stack: stage.stack, title: step.text, number: lastStep)
            let result = try await layerStep.copy(copy, from: tree)
            stage.stack.add(result.record.layer, created: result.record.created, by: step.text)
            return result.isCached
        case .makeDirectory(let path):
            let layerStep = LayerStep(session: session, stack: stage.stack, title: step.text, number: lastStep)
            let result = try await layerStep.makeDirectory(path, user: stage.evaluation.defaults.user)
            stage.stack.add(result.record.layer, created: result.record.created, by: step.text)
            return result.isCached
        }
    }

    /// What was executed, with the shell, as Docker writes it.
    private static func history(_ run: RunAction) -> String {
        "RUN " + (run.script ?? run.words.joined(separator: " "))
    }

    private func tree(for copy: CopyAction) async throws(BuildFailure) -> SourceTree {
        switch copy.origin {
        case nil:
            if let context = session.order.context { return context }
            let texts = copy.sources.allSatisfy { if case .file = $0 { true } else { false } }
            guard texts else {
                throw BuildFailure(.badRequest, "there is no context to copy from: the Dockerfile came alone")
            }
            let root = try await StageRoot(StageStack(), in: session.store, lease: session.lease)
            return SourceTree(try root.readOnly(), title: "the context", keepsOwners: false)
        case .scratch: throw BuildFailure(.badRequest, "nothing can be copied from scratch")
        case .stage(let number):
            let title = "stage \(number)"
            return try await tree(of: stages[number]!.stack, title: title)
        case .image(let name):
            return try await tree(of: try await session.image(name).stack, title: "image \(name)")
        }
    }

    private func tree(of stack: StageStack, title: String) async throws(BuildFailure) -> SourceTree {
        let root = try await StageRoot(stack, in: session.store, lease: session.lease)
        return SourceTree(try root.readOnly(), title: title, keepsOwners: true)
    }
}
