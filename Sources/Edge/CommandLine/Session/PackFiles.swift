import Glibc
import Linux
import OCI
import Packing

/// Writes what goes with an image into a directory of the user's.
struct PackFiles {
    private let result: Packer.Result
    private let archive: SharedFD
    private let directory: String

    init(_ result: Packer.Result, archive: SharedFD, directory: String) {
        self.result = result
        self.archive = archive
        self.directory = directory
    }

    func write() async throws {
        try await BlockingPool.shared.run { () throws(SystemError) in Result { try writeAll() } }.get()
    }

    private func writeAll() throws {
        try Files.makeDirectories(directory + "/files")
        try copyImage()
        let program = result.program
        try put("Dockerfile", DockerfileText(program, release: Self.release()).text)
        try put("kubernetes.yaml", KubernetesText(program).text)
        let function = FunctionText(program)
        try put("template.yaml", function.text)
        try Files.makeDirectories(directory + "/code")
        if function.carriesProgram {
            try copy(program.program, to: directory + "/code/" + program.baseName)
        } else {
            try put(
                "code/README",
                "\(program.program) is a program of the machine: this function brings no code of its own.\n")
        }
        for path in program.exactFiles { try copy(path, to: directory + "/files" + path) }
        for (path, target) in program.exactLinks.sorted(by: { $0.key < $1.key }) {
            let place = directory + "/files" + path
            try makeParent(of: place)
            try FileEntries.makeLink(to: target, named: place, at: Files.here)
        }
    }

    private func put(_ name: String, _ text: String) throws {
        try Files.replace(directory + "/" + name, with: Array(text.utf8), mode: 0o644)
    }

    private func copyImage() throws {
        try Files.rewind(archive.raw)
        try copy(archive.raw, to: directory + "/image.tar", mode: 0o644)
    }

    private func copy(_ path: String, to place: String) throws {
        let source = try Files.open(path, O_RDONLY)
        let status = try Files.status(of: source.raw, name: path)
        try makeParent(of: place)
        try copy(source.raw, to: place, mode: status.permissions & 0o777)
    }

    private func copy(_ source: CInt, to place: String, mode: UInt32) throws {
        let target = try Files.open(place, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        while true {
            let bytes = try Files.readSome(source, count: 1 << 20, name: place)
            if bytes.isEmpty { break }
            try Files.writeAll(bytes, to: target.raw, name: place)
        }
        try FileEntries.setMode(mode, of: target.raw, name: place)
    }

    private func makeParent(of place: String) throws {
        try Files.makeDirectories(String(place[..<place.lastIndex(of: "/")!]))
    }

    /// "bookworm", of os-release(5).
    private static func release() -> String? {
        let text = (try? Files.readText("/etc/os-release")) ?? ""
        guard text.contains("\nID=debian") || text.hasPrefix("ID=debian") else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("VERSION_CODENAME=") }
        return line.map { String($0.dropFirst("VERSION_CODENAME=".count)) }.map { $0.split(separator: "\"").joined() }
    }
}
