import Linux
import Sandbox

/// The filter that has the calls of `CallDeeds` stop for the tracer and lets all others run at full speed.
///
/// Calls of another architecture (32-bit programs) are let through unseen; the tracer counts such programs.
enum DeepFilter {
    /// fcntl(2): F_SETLK, F_SETLKW and those of open file descriptions.
    private static let locks: [UInt32] = [6, 7, 37, 38]
    /// What only terminals answer: TCGETS, TCSETS and its like, TIOCSCTTY, process groups, window sizes, TCGETS2.
    private static let terminals: [UInt32] = [
        0x5401, 0x5402, 0x5403, 0x5404, 0x540E, 0x540F, 0x5410, 0x5413, 0x5414, 0x802C_542A,
    ]

    /// In the kernel's form.
    static func bytes() throws(SeccompError) -> [UInt8] {
        let trace = SeccompAction.trace(0)
        let special: Set<String> = ["mmap", "ioctl", "fcntl"]
        var rules = [SeccompRule(CallDeeds.names.filter { !special.contains($0) }, trace)]
        // MAP_SHARED and MAP_SHARED_VALIDATE have the lowest bit.
        rules.append(SeccompRule(["mmap"], trace, when: [ArgumentCondition(3, .maskedEqual(mask: 1, 1))]))
        for command in locks { rules.append(SeccompRule(["fcntl"], trace, when: [.int(1, is: command)])) }
        for command in terminals { rules.append(SeccompRule(["ioctl"], trace, when: [.int(1, is: command)])) }
        var profile = SeccompProfile(defaultAction: .allow, rules: rules)
        profile.foreignAction = .allow
        return try profile.compile().bytes
    }
}
