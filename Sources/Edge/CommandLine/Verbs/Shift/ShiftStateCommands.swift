import ArgumentParser
import ExecDoor
import JSON
import Linux

/// `forkless shift status`
struct ShiftStatusCommand: Verb {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Shows where shifts stand.")

    @Argument(help: ArgumentHelp("Only this one: its name, or the path of its program.", valueName: "shift"))
    var shift: String?

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let door = ShiftDoor(try node.directories())
        let shifts: [JSONValue]
        if let shift {
            shifts = [try await door.call("GET", ShiftDoor.path(ShiftedProgram.shift(shift)))["shift"] ?? .null]
        } else {
            shifts = try await door.call("GET", "")["shifts"]?.array ?? []
        }
        switch output.output {
        case .json: try StandardStreams.write(["shifts": .array(shifts)])
        case .text:
            try StandardStreams.write(
                ShiftText.table(shifts).text(width: StandardStreams.width) + ShiftText.remarks(shifts))
        }
    }
}

/// What `pause`, `resume` and `rollback` have in common.
protocol ShiftVerbCommand: Verb {
    var shift: String { get }
    var output: OutputFlags { get }
    var node: NodeFlags { get }
}

extension ShiftVerbCommand {
    func ask(_ verb: String, _ body: JSONValue = .null) async throws {
        let answer = try await ShiftDoor(try node.directories()).call(
            "POST", ShiftDoor.path(ShiftedProgram.shift(shift), verb), body)
        guard output.output == .text else { return try StandardStreams.write(answer) }
        let shift = answer["shift"] ?? .null
        let why = shift["why"]?.string.map { ": \($0)" } ?? ""
        try StandardStreams.write(
            "\(shift["id"]?.string ?? ""): \(shift["program"]?.string ?? "") is \(shift["phase"]?.string ?? "")"
                + (why.isEmpty ? " in \(ShiftText.stage(shift))" : why) + "\n")
    }
}

/// `forkless shift pause`
struct ShiftPauseCommand: ShiftVerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Lets the original answer every call until `resume`.",
        discussion:
            "With --unmount the shim is taken away meanwhile, so that a package manager can replace the program.")

    @Argument(help: ArgumentHelp("Its name, or the path of its program.", valueName: "shift"))
    var shift: String

    @Flag(name: .customLong("unmount"), help: "Take the shim away meanwhile.")
    var unmount = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws { try await ask("pause", ["unmount": .bool(unmount)]) }
}

/// `forkless shift resume`
struct ShiftResumeCommand: ShiftVerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Goes on with a shift that is paused, in the mode it had.")

    @Argument(help: ArgumentHelp("Its name, or the path of its program.", valueName: "shift"))
    var shift: String

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws { try await ask("resume") }
}

/// `forkless shift rollback`
struct ShiftRollbackCommand: ShiftVerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Takes the shim away: from the next call on the program is what it was.",
        discussion: "It works without a node, too, when the program is named by its path.")

    @Argument(help: ArgumentHelp("Its name, or the path of its program.", valueName: "shift"))
    var shift: String

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        do { try await ask("rollback") } catch let absent as ShiftDoor.NoNode {
            guard shift.contains("/") else {
                throw CommandFailure("\(absent) Without a node, name the program by its path.")
            }
            try await rollBackAlone()
        }
    }

    private func rollBackAlone() async throws {
        let (program, state) = (try ShiftedProgram.path(shift), try node.directories().state)
        let result: Result<String, ShiftProblem> = try await BlockingPool.shared.run { () throws(SystemError) in
            Result { () throws(ShiftProblem) in try ProgramMounts.rollBack(program, state: state, at: Clock.now()) }
        }
        let id: String
        do { id = try result.get() } catch { throw CommandFailure("\(error)") }
        switch output.output {
        case .json:
            try StandardStreams.write([
                "shift": ["id": .string(id), "program": .string(program), "phase": "rolled-back"]
            ])
        case .text:
            try StandardStreams.write(
                "\(id): \(program) is rolled back; no node serves, so this is noted for the next one\n")
        }
    }
}
