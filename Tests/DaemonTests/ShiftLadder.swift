import JSON
import Linux
import TestKit
import Testing

/// A caller whose program is shifted up and back down under it.
struct ShiftLadder {
    let machine: ShiftedMachine
    /// The copy that is shifted.
    let program: String
    /// How many calls of it the work makes.
    let calls: Int
    var rung = "container"
    /// Calls that are killed while both run, so that there is nothing to compare.
    var uncompared = 0
    /// Further words of `forkless shift`.
    var words: [String] = []

    /// Works unshifted, in each mode, and unshifted again; every time the work has to bring the same.
    ///
    /// - Returns: a line of what was counted.
    @discardableResult
    func climb(_ name: String, _ work: () async throws -> String) async throws -> String {
        let expected = try await work()
        var line = "\(name): "
        for mode in [["measure"], ["shadow"], ["canary", "--percent", "50"], ["full"]] {
            let target = mode == ["measure"] ? [] : ["--to", rung] + words
            let outcome = try await machine.forkless(["shift", program, "--mode"] + mode + target)
            try #require(outcome.status.isSuccess, "\(outcome.errorText)")
            let before = try await machine.state(program)
            let found = try await work()
            #expect(found == expected, "\(name) in \(mode[0])")
            let after = try await settled(before, mode[0])
            line += counted(mode[0], before, after)
        }
        try await machine.shift("rollback", program)
        #expect(try await !machine.isShifted(program))
        #expect(try await work() == expected)
        try StandardError.write(line + "\n")
        return line
    }

    /// Every call was counted, none differed, and none went another way than it was to.
    private func settled(_ before: JSONValue, _ mode: String) async throws -> JSONValue {
        let after = try await eventuallySome(within: .seconds(90), "every call of \(mode) is counted") {
            let state = try await machine.state(program)
            let stage = state["stage"] ?? .null
            guard (stage["calls"]?.integer ?? 0) >= calls else { return nil as JSONValue? }
            if mode == "shadow", (stage["compared"]?.integer ?? 0) < calls - uncompared { return nil }
            return state
        }
        #expect(after["phase"]?.string == "active", "\(after["why"]?.string ?? "")")
        #expect(after["stage", "calls"]?.integer == Int64(calls))
        #expect(after["stage", "differing"]?.integer == 0, "\(after["firstDifference"]?.string ?? "")")
        let history = try await machine.shift("history", program)["history"]?.array ?? []
        let detour = history.last { $0["kind"]?.string == "detour" }?["text"]?.string ?? ""
        #expect(after["stage", "detours"]?.integer == 0, "\(mode): \(detour)")
        if mode == "full" { #expect(after["stage", "answeredByTarget"]?.integer == Int64(calls)) }
        return after
    }

    private func counted(_ mode: String, _ before: JSONValue, _ after: JSONValue) -> String {
        let stage = after["stage"] ?? .null
        let p95 =
            (mode == "full" ? after["target", "p95Microseconds"] : after["original", "p95Microseconds"])?.integer ?? 0
        return
            "\(mode) \(stage["calls"]?.integer ?? 0) calls (\(stage["answeredByTarget"]?.integer ?? 0) by the target, "
            + "\(stage["compared"]?.integer ?? 0) compared, \(stage["differing"]?.integer ?? 0) different, p95 \(p95) us); "
    }
}

/// Where tests print numbers.
enum StandardError {
    static func write(_ text: String) throws { try Files.writeAll(Array(text.utf8), to: 2) }
}
