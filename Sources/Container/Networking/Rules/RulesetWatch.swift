import Linux

/// Puts our rules back when somebody else has taken them away: whoever manages the machine's firewall flushes it, and
/// what was closed by rules would be open (CVE-2025-54388).
///
/// Between the flush and our answer the rules are missing; connections that were let through before stay.
actor RulesetWatch {
    private let machine: MachineNetwork
    private let rules: RulesetProgram
    private var task: Task<Void, Never>?

    init(machine: MachineNetwork, rules: RulesetProgram) {
        self.machine = machine
        self.rules = rules
    }

    deinit { task?.cancel() }

    /// Watches from now on; a second call changes nothing.
    func start() async throws(NetworkFailure) {
        guard task == nil else { return }
        // Taken before the wait, so that of two callers one starts.
        task = Task {}
        let news: NetfilterNews
        do throws(SystemError) {
            news = try await machine.run { () throws(SystemError) in try NetfilterNews() }
        } catch {
            task = nil
            throw NetworkFailure(error)
        }
        let rules = rules
        task = Task {
            var isGone = false
            while let events = try? await news.next() {
                for event in events {
                    switch event {
                    case .removedTable(rules.table), .missedSome: isGone = true
                    case .madeTable(rules.table): isGone = false
                    case .removedTable, .madeTable: break
                    }
                }
                // A refusal is seen with the next change of ours, which says why.
                if isGone { try? await rules.restore() }
                isGone = false
            }
        }
    }

    func stop() async {
        task?.cancel()
        await task?.value
        task = nil
    }
}
