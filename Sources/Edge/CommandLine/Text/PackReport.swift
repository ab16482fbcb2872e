import Comparison
import JSON
import OCI
import Packing

/// What packing made, and what the proof showed.
struct PackReport {
    private let result: Packer.Result
    private let isListed: Bool
    private let directory: String?
    var outcomes: [PackProof.Outcome] = []
    /// Why it was not run.
    var notProved: String?

    init(_ result: Packer.Result, isListed: Bool, directory: String?) {
        self.result = result
        self.isListed = isListed
        self.directory = directory
    }

    func text(width: Int) -> String {
        let image = result.image
        var lines = ["image \(image.id)" + (isListed ? ", named \(result.program.image)" : "")]
        lines.append("\(image.layers.count) layers, \(FloatingText.bytes(image.bytes)) compressed: \(contents)")
        lines += result.needs.remarks.map { "! \($0)" }
        lines += result.program.state.prefix(4).map { "! it changes \($0): give containers a volume or a bind there" }
        if let directory {
            lines.append("in \(directory): image.tar, Dockerfile, files, kubernetes.yaml, template.yaml, code")
        }
        if let notProved { lines.append("not run: \(notProved); --allow-changes runs it all the same") }
        for outcome in outcomes {
            let mark = outcome.differences.isEmpty ? "✓ the same" : "✗ different"
            lines.append(
                "\(mark): \(Self.call(outcome.call)): \(outcome.status), \(FloatingText.bytes(outcome.outputBytes)) of output"
            )
            lines += outcome.differences.map { "    \($0)" }
        }
        if outcomes.isEmpty, notProved == nil { lines.append("not run: nothing is proved") }
        return lines.flatMap { DisplayWidth.wrap(DisplayWidth.printable($0), to: max(40, width)) }.map { $0 + "\n" }
            .joined()
    }

    private var contents: String {
        let packages = result.program.packages.count
        let files = result.program.exactFiles.count
        return "\(packages) package\(packages == 1 ? "" : "s"), \(files) file\(files == 1 ? "" : "s") of this machine"
    }

    private static func call(_ call: ProofCase) -> String {
        let words = call.arguments.isEmpty ? "no arguments" : call.arguments.joined(separator: " ")
        return Shortened.text(words, to: 60) + (call.input.map { " < \($0)" } ?? "")
    }

    var json: JSONValue {
        var json: JSONValue = [:]
        json["image"] = result.image.id.description.json
        json["name"] = result.program.image.json
        json["isListed"] = isListed.json
        json["bytes"] = result.image.bytes.json
        json["layers"] = .array(
            result.image.layers.map {
                [
                    "digest": $0.descriptor.digest.description.json, "bytes": $0.descriptor.size.json,
                    "contents": $0.planned.title.json,
                ]
            })
        json["packages"] = .array(result.program.packages.map { ["name": $0.name.json, "version": $0.version.json] })
        json["files"] = result.program.exactFiles.json
        json["remarks"] = result.needs.remarks.json
        json["changes"] = result.program.state.json
        json["notRun"] = notProved?.json
        json["runs"] = .array(
            outcomes.map {
                [
                    "arguments": $0.call.arguments.json, "directory": $0.call.directory.json,
                    "input": $0.call.input?.json ?? .null,
                    "status": $0.status.json, "differences": $0.differences.json,
                ]
            })
        return json
    }
}
