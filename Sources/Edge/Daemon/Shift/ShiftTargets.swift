import ExecDoor

/// Makes what runs shifted calls on this node.
struct ShiftTargets: Sendable {
    private let node: NodeSurroundings
    private let rung: FunctionRung

    init(_ node: NodeSurroundings, _ rung: FunctionRung) {
        self.node = node
        self.rung = rung
    }

    func make(
        _ target: ShiftTarget, _ spec: ShiftSpec, _ program: ProgramFile, _ original: String
    ) async throws(ShiftProblem) -> any CallTarget {
        throw ShiftProblem(
            .unsupported, "shift \(spec.program) to \(target): this node has nothing that could run it there")
    }

    func control(_ program: ProgramFile, _ original: String) async throws(ShiftProblem) -> any CallTarget {
        throw ShiftProblem(.unsupported, "run \(program.path) twice: this node cannot")
    }
}
