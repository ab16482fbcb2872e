import Linux

/// What a calibration depends on: where any of it differs, it has to be measured again.
package struct MachineFacts: Hashable, Sendable {
    /// The host's name.
    package var name: String
    package var kernel: String
    package var processor: String
    package var processors: Int
    package var memoryBytes: Int
    /// Transparent huge pages, which shorten the page tables that fork copies: "madvise".
    package var hugePages: String

    package init(
        name: String, kernel: String, processor: String, processors: Int, memoryBytes: Int, hugePages: String
    ) {
        self.name = name
        self.kernel = kernel
        self.processor = processor
        self.processors = processors
        self.memoryBytes = memoryBytes
        self.hugePages = hugePages
    }

    /// Read from /proc and /sys; what is not there is empty. Blocks.
    package static func ofThisMachine() -> MachineFacts {
        func line(_ path: String) -> String {
            let text = (try? Files.readText(path)) ?? ""
            return text.split(separator: "\n").first.map(String.init) ?? ""
        }
        func field(_ name: String, of path: String) -> String {
            let text = (try? Files.readText(path)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
            let value = line.drop { $0 != ":" }.dropFirst()
            return String(value.drop { $0 == " " || $0 == "\t" })
        }
        let memory = field("MemTotal", of: "/proc/meminfo").split(separator: " ").first.flatMap { Int($0) } ?? 0
        let pages = line("/sys/kernel/mm/transparent_hugepage/enabled")
        let chosen = pages.drop { $0 != "[" }.dropFirst().prefix { $0 != "]" }
        return MachineFacts(
            name: line("/proc/sys/kernel/hostname"), kernel: line("/proc/sys/kernel/osrelease"),
            processor: field("model name", of: "/proc/cpuinfo"), processors: OwnProcess.processors(),
            memoryBytes: memory << 10, hugePages: String(chosen))
    }

    /// What differs from another machine, or from this one before; empty when a calibration holds for both.
    package func differences(from other: MachineFacts) -> [String] {
        var differences: [String] = []
        func compare(_ what: String, _ one: String, _ two: String) {
            if one != two {
                differences.append("\(what): \(one.isEmpty ? "none" : one), was \(two.isEmpty ? "none" : two)")
            }
        }
        compare("host", name, other.name)
        compare("kernel", kernel, other.kernel)
        compare("processor", processor, other.processor)
        compare("processors", "\(processors)", "\(other.processors)")
        compare("memory", "\(memoryBytes >> 20) MiB", "\(other.memoryBytes >> 20) MiB")
        compare("huge pages", hugePages, other.hugePages)
        return differences
    }
}
