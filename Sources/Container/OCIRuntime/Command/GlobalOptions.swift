/// What stands before the verb.
package struct GlobalOptions: Hashable, Sendable {
    /// Where the state of containers is kept.
    package var root = "/run/forkless-oci"
    /// The log's path.
    package var log: String?
    package var logFormat = Report.Format.text
    package var isDebug = false
    var cgroups = CgroupChoice()

    static let options: [OptionReading.Option] = [
        .value("root"), .value("log"), .value("log-format"), .flag("debug"), .flag("systemd-cgroup"),
        .value("rootless"),
        .flag("help", "h"), .flag("version", "v"),
    ]

    init(_ read: OptionReading) throws(RuntimeFailure) {
        if let root = read.value("root") {
            guard !root.isEmpty else { throw RuntimeFailure("--root: expected a directory, found an empty text") }
            self.root = root
        }
        log = read.value("log").flatMap { $0.isEmpty ? nil : $0 }
        if let format = read.value("log-format") {
            guard let format = Report.Format(rawValue: format) else {
                throw RuntimeFailure("unknown log-format \"\(format)\": expected text or json")
            }
            logFormat = format
        }
        isDebug = read.isOn("debug")
        cgroups.usesSystemd = read.isOn("systemd-cgroup")
        if let text = read.value("rootless") {
            guard let rootless = CgroupChoice.Rootless(rawValue: text) else {
                throw RuntimeFailure("--rootless: expected true, false or auto, found \"\(text)\"")
            }
            cgroups.rootless = rootless
        }
    }
}
