import Linux

/// Gives rules to the kernel, in a network namespace: published ports directly, which takes a fraction of a millisecond, and
/// what changes with networks through the `nft` program.
///
/// One after the other: callers wait for each other, and a cancelled caller does not interrupt a transaction.
package actor RulesetProgram {
    private let program: NFTProgram
    private let machine: MachineNetwork
    /// Opened with the first change that needs it.
    private var socket: PacketRuleSocket?
    private let text: RulesetText
    nonisolated let table: String
    /// What the kernel has, as far as we know.
    private var applied: Ruleset?
    private var last: Task<Void, Never>?

    package init(machine: MachineNetwork, table: String) {
        program = NFTProgram(machine: machine)
        self.machine = machine
        self.table = table
        text = RulesetText(table: table)
    }

    /// Makes the kernel's rules these. What somebody else took away meanwhile is put back.
    package func apply(_ rules: Ruleset) async throws(NetworkFailure) {
        try await inTurn { program in try await program.change(to: rules) }
    }

    /// Makes the kernel's rules again what they were last made, if any.
    package func restore() async throws(NetworkFailure) {
        try await inTurn { program in
            guard let rules = await program.applied else { return }
            try await program.run(program.text.whole(rules))
        }
    }

    /// Takes our table away.
    package func remove() async throws(NetworkFailure) {
        try await inTurn { program in
            try await program.run(program.text.removal)
            await program.note(nil)
        }
    }

    private func inTurn(
        _ body: @escaping @Sendable (RulesetProgram) async throws -> Void
    ) async throws(NetworkFailure) {
        let before = last
        let work = Task { () -> Result<Void, NetworkFailure> in
            await before?.value
            do {
                try await body(self)
                return .success(())
            } catch let failure as NetworkFailure { return .failure(failure) } catch {
                return .failure(NetworkFailure(.system, "\(error)"))
            }
        }
        last = Task { _ = await work.value }
        try await work.value.get()
    }

    private func note(_ rules: Ruleset?) { applied = rules }

    private func change(to rules: Ruleset) async throws(NetworkFailure) {
        if let applied {
            let difference = text.difference(from: applied, to: rules)
            if difference.isEmpty { return }
            do {
                if let batch = text.batch(from: applied, to: rules) {
                    try await perform(batch)
                } else {
                    try await run(difference)
                }
                self.applied = rules
                return
            } catch {
                // Refused as a whole. Somebody may have flushed the rules; if it was the rules' own fault, the
                // whole is refused, too, and says so.
                self.applied = nil
            }
        }
        try await run(text.whole(rules))
        applied = rules
    }

    private func perform(_ batch: PacketRuleBatch) async throws(NetworkFailure) {
        do throws(SystemError) {
            let socket: PacketRuleSocket
            if let opened = self.socket {
                socket = opened
            } else {
                socket = try await machine.run { () throws(SystemError) in try PacketRuleSocket() }
            }
            self.socket = socket
            try await BlockingPool.shared.run { () throws(SystemError) in try socket.perform(batch) }
        } catch { throw NetworkFailure(error) }
    }

    private func run(_ text: String) async throws(NetworkFailure) { try await program.run(text) }
}
