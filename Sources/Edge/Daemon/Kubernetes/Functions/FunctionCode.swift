import Catalog
import Images
import JSON

/// The code that an object brings, in one of three ways.
enum FunctionCode: Hashable {
    case image(String)
    /// An archive, and the field that it comes from.
    case archive([UInt8], field: String)

    /// Texts of files, packed so that the same files are the same archive.
    private static func packed(_ files: [JSONObject.Member]) throws(ArchiveFailure) -> [UInt8] {
        var writer = ZipWriter()
        for file in files.sorted(by: { $0.key < $1.key }) {
            let text = file.value.string ?? ""
            // A program or a script that says what runs it.
            let mode: UInt32 = file.key == "bootstrap" || text.hasPrefix("#!") ? 0o100_755 : 0o100_644
            try writer.add(file.key, mode: mode, contents: Array(text.utf8))
        }
        return writer.finish()
    }

    struct Problem: Error {
        var field: String
        var sentence: String
    }

    /// What a spec brings; nil: nothing, the code is to stay.
    static func read(_ spec: JSONValue) throws(Problem) -> FunctionCode? {
        let files = spec["files"]?.object?.members ?? []
        let zip = spec["zip"]?.string ?? ""
        let image = spec["image"]?.string ?? ""
        let given = [("image", !image.isEmpty), ("zip", !zip.isEmpty), ("files", !files.isEmpty)].filter(\.1).map(\.0)
        guard given.count <= 1 else {
            throw Problem(field: given[1], sentence: "may not be specified when `\(given[0])` is not empty")
        }
        if !image.isEmpty { return .image(image) }
        if !zip.isEmpty {
            guard let bytes = Base64.bytes(zip) else { throw Problem(field: "zip", sentence: "it is no base64") }
            return .archive(bytes, field: "zip")
        }
        if !files.isEmpty {
            do throws(ArchiveFailure) { return .archive(try packed(files), field: "files") } catch {
                throw Problem(field: "files", sentence: error.sentence)
            }
        }
        // A program of the machine has no code of its own.
        return spec["runtime"] == "forkless.stdio" ? .archive(ZipWriter().finish(), field: "runtime") : nil
    }

    /// Whether this is the code that is declared.
    func isDeclared(_ function: JSONValue) -> Bool {
        switch self {
        case .image(let name): function["Code", "ImageUri"]?.string == name
        case .archive(let bytes, let field):
            // For a program any archive will do.
            field == "runtime" || function["Configuration", "CodeSha256"]?.string == FunctionCatalog.digest(ofArchive: bytes)
        }
    }

    var field: String {
        switch self {
        case .image: "image"
        case .archive(_, let field): field
        }
    }

    /// Member of CreateFunction's `Code` and of UpdateFunctionCode.
    var member: (key: String, value: JSONValue) {
        switch self {
        case .image(let name): ("ImageUri", .string(name))
        case .archive(let bytes, _): ("ZipFile", .string(Base64.text(bytes)))
        }
    }
}
