import Linux
import TestKit

#if canImport(Glibc)
    import Glibc
#endif

/// Inputs that once were interesting, in the repository.
enum FuzzCorpus {
    static func files(of name: String) throws -> [[UInt8]] {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        let path = "\(here)/Fuzz/Corpus/\(name)"
        guard let directory = opendir(path) else { throw FuzzError(description: "no corpus at \(path)") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return try names.sorted().map { try read("\(path)/\($0)") }
    }

    static func number(_ variable: String) -> Int? { getenv(variable).flatMap { Int(String(cString: $0)) } }

    private static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw FuzzError(description: "cannot open \(path)") }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes[..<count])
    }

    struct FuzzError: Error, CustomStringConvertible { var description: String }
}

/// Changes bytes, repeats, removes, and joins pieces of inputs: the same for the same seed.
struct FuzzMutator {
    private var chance: SeededChance
    private static let words = [
        "\\", "\n", "\r\n", "<<", "<<-E\n", "\nE\n", "${", ":-", "}", "$", "\"", "'", "[", "]", "--", "=", "#", "\t", "`",
        "FROM ", "RUN ", "COPY ", "ENV ", "ARG ", "\u{FEFF}", "\0", "# escape=`\n", "é",
    ].map { Array($0.utf8) }

    init(seed: Int) { chance = SeededChance(seed: UInt64(bitPattern: Int64(seed))) }

    mutating func mutated(_ corpus: [[UInt8]]) -> [UInt8] {
        var bytes = corpus[below(corpus.count)]
        for _ in 0...below(6) { mutate(&bytes, corpus) }
        return bytes
    }

    private mutating func mutate(_ bytes: inout [UInt8], _ corpus: [[UInt8]]) {
        let at = below(bytes.count + 1)
        let end = min(bytes.count, at + below(24))
        switch below(6) {
        case 0: bytes.replaceSubrange(at..<end, with: [])
        case 1: bytes.insert(contentsOf: Self.words[below(Self.words.count)], at: at)
        case 2: bytes.insert(contentsOf: Array(bytes[at..<end]), at: below(bytes.count + 1))
        case 3: if at < bytes.count { bytes[at] = UInt8(below(256)) }
        case 4: bytes.replaceSubrange(at..<end, with: Self.words[below(Self.words.count)])
        default:
            let other = corpus[below(corpus.count)]
            let from = below(other.count + 1)
            bytes.insert(contentsOf: other[from..<min(other.count, from + below(64))], at: at)
        }
    }

    private mutating func below(_ count: Int) -> Int { Int.random(in: 0..<max(1, count), using: &chance) }
}
