import Linux
import Networking

/// Keeps the kernel's table as the book says, one transaction after the other, and puts it back when somebody else has
/// taken it away.
///
/// What comes and goes with pods is told to the kernel directly, which takes a fraction of a millisecond; nft writes the
/// whole table, and the differences that only it can write (`RuleDifference.batch`).
actor RuleApplying {
    private let program: NFTProgram
    private let machine: MachineNetwork
    private let table: String
    private var book: RuleBook
    /// Opened with the table.
    private var socket: PacketRuleSocket?
    /// Whether the kernel has what the book says, as far as we know.
    private var isApplied = false
    private var last: Task<Void, Never>?
    private var watch: Task<Void, Never>?

    private let report: @Sendable (String) -> Void

    init(machine: MachineNetwork, table: String, report: @escaping @Sendable (String) -> Void) {
        self.machine = machine
        self.table = table
        self.report = report
        program = NFTProgram(machine: machine)
        book = RuleBook(table: table)
    }

    /// Makes the table, instead of one that an earlier node left, and watches it from then on.
    func begin(_ base: String, with parts: [String: RulePart]) async throws(NetworkFailure) {
        book.base = base
        try await apply(parts, always: true)
        guard watch == nil else { return }
        let news: NetfilterNews
        do throws(SystemError) {
            news = try await machine.run { () throws(SystemError) in try NetfilterNews() }
            socket = try await machine.run { () throws(SystemError) in try PacketRuleSocket() }
        } catch { throw NetworkFailure(error) }
        let table = table
        watch = Task { [weak self] in
            while let events = try? await news.next() {
                var isGone = false
                for event in events {
                    switch event {
                    case .removedTable(table), .missedSome: isGone = true
                    case .madeTable(table): isGone = false
                    case .removedTable, .madeTable: break
                    }
                }
                // A refusal is seen with the next change of ours, which says why.
                if isGone { try? await self?.apply([:], always: true) }
            }
        }
    }

    /// Replaces parts. Returns when the kernel has them.
    ///
    /// - Parameter always: also when nothing changes.
    func apply(_ parts: [String: RulePart], always: Bool = false) async throws(NetworkFailure) {
        let before = last
        let work = Task { () -> Result<Void, NetworkFailure> in
            await before?.value
            do throws(NetworkFailure) {
                try await self.perform(parts, always)
                return .success(())
            } catch { return .failure(error) }
        }
        last = Task { _ = await work.value }
        try await work.value.get()
    }

    private func perform(_ parts: [String: RulePart], _ always: Bool) async throws(NetworkFailure) {
        let difference = book.change(parts)
        if isApplied, !always {
            if difference.isEmpty { return }
            do throws(NetworkFailure) { return try await run(difference) } catch {
                // Refused as a whole. Somebody may have flushed the rules; if it was the rules' own fault, the whole is
                // refused, too, and says so.
            }
        }
        isApplied = false
        do throws(NetworkFailure) { try await program.run(book.whole) } catch { try await applyOneByOne(error) }
        isApplied = true
    }

    private func run(_ difference: RuleDifference) async throws(NetworkFailure) {
        guard let socket, let batch = difference.batch else { return try await program.run(difference.text) }
        do throws(SystemError) {
            try await BlockingPool.shared.run { () throws(SystemError) in try socket.perform(batch) }
        } catch { throw NetworkFailure(error) }
    }

    /// One part that the kernel does not take must not keep all others from it: it is left out until it changes.
    private func applyOneByOne(_ reason: NetworkFailure) async throws(NetworkFailure) {
        var rest = RuleBook(table: table)
        rest.base = book.base
        // Nothing at all is taken: it is the machine's fault.
        do throws(NetworkFailure) { try await program.run(rest.whole) } catch { throw reason }
        // Parts refer to each other: what does not stand alone may stand behind another.
        var waiting = book.parts.sorted { $0.key < $1.key }
        for isLastRound in [false, true] {
            var refused: [(key: String, value: RulePart)] = []
            for (key, part) in waiting {
                var next = rest
                let text = next.change([key: part]).text
                do throws(NetworkFailure) {
                    try await program.run(text)
                    rest = next
                } catch {
                    refused.append((key, part))
                    if isLastRound { report("the rules of \(key) are left out: \(error)") }
                }
            }
            waiting = refused
        }
        book = rest
    }

    /// Takes the table away.
    func end() async throws(NetworkFailure) {
        watch?.cancel()
        await watch?.value
        watch = nil
        await last?.value
        isApplied = false
        try await program.run(book.removal)
    }

    /// Stops watching; the table stays.
    func leave() async {
        watch?.cancel()
        await watch?.value
        watch = nil
        await last?.value
    }
}
