import Engine

/// `--restart POLICY`
enum RestartFlag {
    static func parse(_ text: String) throws(FlagError) -> RestartPolicy {
        guard let policy = RestartPolicy(text) else {
            throw FlagError(
                "--restart", text, "invalid restart policy",
                advice: "Write no, on-failure[:MAX], always or unless-stopped.")
        }
        return policy
    }
}
