package import JSON
package import Linux

/// Reports that were saved under a name, in a directory: `NAME.json`, the report, and `NAME.html`, its page.
///
/// Invariants:
/// 1. A name is a file's name and nothing else: no way leads out of the directory.
///    Test: `a name that is no file's name is refused`.
/// 2. A report is there as a whole or not at all, whenever the machine stops: both files are replaced, the page first.
///    Test: `a saved report reads back`.
/// 3. A file that is no report is listed with what is wrong with it, and hides no other.
///    Test: `what is no report is listed as such`.
package struct SavedReports: Sendable {
    /// Longest name, in characters.
    package static let nameLimit = 80
    /// Largest report that is read, in bytes.
    package static let bytesLimit = 64 << 20
    /// Most reports that are listed, the newest first.
    package static let listLimit = 1000

    package let directory: String

    package init(in directory: String) { self.directory = directory }

    /// The directory in a node's state.
    package init(state: String) { self.init(in: state + "/reports") }

    /// One line of the list.
    package struct Entry: Hashable, Sendable {
        package var name: String
        /// What it says of itself; nil: it cannot be read.
        package var summary: Summary?
        /// Why it cannot be read.
        package var problem: String?
        package var bytes: Int

        package struct Summary: Hashable, Sendable {
            package var began: Timestamp
            package var workload: String
            package var rungs: [String]
            package var hasFaults: Bool
        }

        /// As `forkless compare --list --output json` prints it.
        package var json: JSONValue {
            var object: JSONObject = ["name": .string(name), "bytes": bytes.json]
            if let summary {
                object["began"] = .string("\(summary.began)")
                object["workload"] = .string(summary.workload)
                object["rungs"] = summary.rungs.json
                object["hasFaults"] = summary.hasFaults.json
            }
            if let problem { object["problem"] = .string(problem) }
            return .object(object)
        }
    }

    /// What is wrong with a name; nil: nothing.
    package static func problem(withName name: String) -> String? {
        guard !name.isEmpty else { return "it is empty" }
        guard name.utf8.count <= nameLimit else { return "it has more than \(nameLimit) characters" }
        let isFit = name.utf8.allSatisfy { byte in
            (byte | 0x20 >= 97 && byte | 0x20 <= 122) || (byte >= 48 && byte <= 57)
                || [0x2D, 0x2E, 0x5F].contains(byte)
        }
        guard isFit else { return "it holds something else than letters, digits, \"-\", \"_\" and \".\"" }
        return name.utf8.first == 0x2E ? "it begins with a dot" : nil
    }

    /// Saves a report and its page.
    ///
    /// - Throws: `ComparisonError` when the name is not one, when there is a report of this name already, or when it cannot
    ///   be written.
    package func save(_ report: ComparisonReport, as name: String, replacing: Bool = false) throws(ComparisonError) {
        try check(name)
        let path = path(name, "json")
        guard replacing || !Files.exists(path) else {
            throw ComparisonError(
                "save the report as \(name): there is one of this name in \(directory). Give another name")
        }
        do throws(SystemError) {
            try Files.makeDirectories(directory, mode: 0o700)
            try Files.replace(self.path(name, "html"), with: Array(ReportPage(report).text.utf8), mode: 0o600)
            try Files.replace(path, with: JSONWriter.bytes(report.json), mode: 0o600)
        } catch { throw ComparisonError("save the report as \(name): \(error)") }
    }

    /// The report of a name.
    package func report(_ name: String) throws(ComparisonError) -> ComparisonReport {
        try check(name)
        do {
            return try ComparisonReport(
                json: try JSONParser.parse(try Files.read(path(name, "json"), limit: Self.bytesLimit)))
        } catch { throw ComparisonError("read the report \(name) in \(directory): \(error)") }
    }

    /// The page of a name, as it was saved.
    package func page(_ name: String) throws(ComparisonError) -> [UInt8] {
        try check(name)
        do { return try Files.read(path(name, "html"), limit: Self.bytesLimit) } catch {
            throw ComparisonError("read the page of the report \(name) in \(directory): \(error)")
        }
    }

    /// All reports, the newest first; none where there is no directory.
    package func list() throws(ComparisonError) -> [Entry] {
        let files: [String]
        do throws(SystemError) { files = try Files.list(directory) } catch {
            if error.code == .noEntry { return [] }
            throw ComparisonError("list the reports: \(error)")
        }
        let names = files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
            .filter { Self.problem(withName: $0) == nil }
        return Self.sorted(names.map(entry))
    }

    /// The newest first, those that cannot be read last; at most `listLimit`.
    static func sorted(_ entries: [Entry]) -> [Entry] {
        let ordered = entries.sorted { one, other in
            guard let first = one.summary?.began, let second = other.summary?.began, first != second else {
                if (one.summary == nil) != (other.summary == nil) { return one.summary != nil }
                return one.name < other.name
            }
            return first > second
        }
        return Array(ordered.prefix(listLimit))
    }

    private func entry(_ name: String) -> Entry {
        let bytes = (try? Files.status(path(name, "json")))?.size ?? 0
        do throws(ComparisonError) {
            let report = try report(name)
            let summary = Entry.Summary(
                began: report.began, workload: report.workload.name, rungs: report.rungs.map(\.rung.title),
                hasFaults: report.hasFaults)
            return Entry(name: name, summary: summary, problem: nil, bytes: Int(bytes))
        } catch { return Entry(name: name, summary: nil, problem: "\(error)", bytes: Int(bytes)) }
    }

    private func check(_ name: String) throws(ComparisonError) {
        guard let problem = Self.problem(withName: name) else { return }
        throw ComparisonError(
            "the name of a report, \"\(DisplayWidth.printable(ReportText.cut(name, to: 100)))\": \(problem)")
    }

    private func path(_ name: String, _ suffix: String) -> String { "\(directory)/\(name).\(suffix)" }
}
