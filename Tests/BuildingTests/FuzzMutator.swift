import Linux

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
    private var state: UInt64
    private static let words = [
        "\\", "\n", "\r\n", "<<", "<<-E\n", "\nE\n", "${", ":-", "}", "$", "\"", "'", "[", "]", "--", "=", "#", "\t", "`",
        "FROM ", "RUN ", "COPY ", "ENV ", "ARG ", "\u{FEFF}", "\0", "# escape=`\n", "é",
    ].map { Array($0.utf8) }

    init(seed: Int) { state = UInt64(bitPattern: Int64(seed)) &+ 0x9E37_79B9_7F4A_7C15 }

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

    /// SplitMix64.
    private mutating func below(_ count: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(max(1, count)))
    }
}
