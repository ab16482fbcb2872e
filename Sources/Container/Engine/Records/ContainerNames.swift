/// Ids and made-up names. Chance is a parameter.
enum ContainerNames {
    /// 64 hexadecimal digits, as Docker's.
    static func id(_ chance: inout some RandomNumberGenerator) -> String {
        (0..<4).map { _ in hex(UInt64.random(in: .min ... .max, using: &chance)) }.joined()
    }

    static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// "steady-heron", with a number behind it where that is taken.
    static func name(_ chance: inout some RandomNumberGenerator, isTaken: (String) -> Bool) -> String {
        for attempt in 0... {
            let word = "\(adjectives.randomElement(using: &chance)!)-\(nouns.randomElement(using: &chance)!)"
            // Sixteen tries for a plain name; then one of a million is free for certain.
            let name = attempt < 16 ? word : "\(word)-\(Int.random(in: 0..<1_000_000, using: &chance))"
            if !isTaken(name) { return name }
        }
        preconditionFailure("every name is taken")
    }

    private static let adjectives = [
        "able", "amber", "brave", "bright", "calm", "clear", "cool", "crisp", "eager", "early", "fair", "fast", "fine",
        "fond", "frank", "fresh", "gentle", "glad", "grand", "green", "happy", "hardy", "honest", "ideal", "jolly",
        "keen", "kind", "lively", "loyal", "lucid", "lucky", "mellow", "merry", "mild", "modest", "neat", "noble",
        "plain", "polite", "prime", "proud", "quick", "quiet", "ready", "robust", "sharp", "silent", "smart", "solid",
        "sound", "steady", "strong", "sunny", "swift", "tidy", "true", "vivid", "warm", "wise", "witty",
    ]

    private static let nouns = [
        "alder", "anchor", "arrow", "aspen", "badger", "beacon", "beaver", "birch", "bridge", "brook", "canyon", "cedar",
        "cliff", "comet", "crane", "creek", "delta", "dune", "eagle", "ember", "falcon", "fern", "finch", "fjord",
        "forest", "garden", "glacier", "harbor", "hazel", "heron", "island", "juniper", "kestrel", "lagoon", "lantern",
        "larch", "linden", "lynx", "maple", "marten", "meadow", "oak", "orchard", "otter", "pebble", "pine", "plover",
        "prairie", "quartz", "raven", "reef", "ridge", "river", "robin", "rowan", "spruce", "stone", "summit", "swallow",
        "willow",
    ]
}
