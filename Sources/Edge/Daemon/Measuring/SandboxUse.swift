/// Adds up the processor time of sandboxes from what each has used so far, look after look. Pure: what runs and what
/// was read in, sums out.
///
/// Invariants
/// 1. What a sandbox used is added once, also when it could not be read, or was not looked at, in between.
///    (test: `a sandbox that was not read for a while adds only what it used since it was`)
/// 2. Of a sandbox that ran before the first look, only what it uses from then on is added.
///    (tests: `what ran before the first look adds what it uses from then on`,
///    `what could not be read at the first look adds nothing when it is read`)
/// 3. A sandbox whose count is smaller than before is another one of its name, and adds all that it used; so does one
///    whose name was gone. (test: `another sandbox of a name adds all that it used`)
struct SandboxUse: Sendable {
    /// What a sandbox had used when it was read last.
    private enum Known: Sendable {
        /// It ran before the first look and was not read yet.
        case nothing
        case microseconds(Int)
    }

    /// Of all that were ever read, microseconds.
    private(set) var sums: [SandboxKind: Int] = [:]
    /// Of those that ran at the last look.
    private var known: [String: Known] = [:]
    private var hasLooked = false

    /// A look.
    ///
    /// - Parameters:
    ///   - running: all that run, those that were not read included.
    ///   - read: what each of those that were read has used since it began, microseconds.
    mutating func take(running: [String], read: [String: Int]) {
        var next: [String: Known] = [:]
        for sandbox in running {
            let before: Known = known[sandbox] ?? (hasLooked ? .microseconds(0) : .nothing)
            guard let now = read[sandbox] else {
                next[sandbox] = before
                continue
            }
            next[sandbox] = .microseconds(now)
            if case .microseconds(let earlier) = before {
                sums[SandboxKind(sandbox), default: 0] += now >= earlier ? now - earlier : now
            }
        }
        known = next
        hasLooked = true
    }
}
