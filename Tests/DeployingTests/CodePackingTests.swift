import Linux
import TestKit
import Testing

@testable import Deploying

@Suite struct CodePackingTests {
    private func python(_ script: String, _ arguments: String...) async throws -> String {
        let outcome = try await CommandRunner.run(["python3", "-c", script] + arguments, input: [])
        #expect(outcome.status.isSuccess, "\(outcome.errorText)")
        return outcome.text
    }

    @Test func `a directory gives the same zip in any order and at any time`() throws {
        let one = try TemporaryDirectory("code")
        let other = try TemporaryDirectory("code")
        let names = ["b.py", "a/x.txt", "a/b/c", "z"]
        for name in names { try one.write("text of \(name)", to: name) }
        for name in names.reversed() { try other.write("text of \(name)", to: name) }
        #expect(try CodePacking.read(one.path) == CodePacking.read(other.path))
        try other.write("another", to: "z")
        #expect(try CodePacking.read(one.path).digest != CodePacking.read(other.path).digest)
    }

    @Test func `Python reads what was packed: names, contents and modes`() async throws {
        let directory = try TemporaryDirectory("code")
        try directory.write("#!/bin/sh\necho \(String(repeating: "x", count: 9000))\n", to: "bin/run", mode: 0o755)
        try directory.write("", to: "empty")
        try directory.write("é", to: "grün.txt", mode: 0o640)
        let package = try CodePacking.read(directory.path)
        let zip = directory.path + ".zip"
        defer { try? Files.remove(zip) }
        try Files.replace(zip, with: package.zip)
        let listing = try await python(
            """
            import sys, zipfile
            z = zipfile.ZipFile(sys.argv[1])
            assert z.testzip() is None
            for i in z.infolist(): print(i.filename, oct(i.external_attr >> 16), i.date_time[0], len(z.read(i)))
            """, zip)
        #expect(listing == "bin/ 0o40755 1980 0\nbin/run 0o100755 1980 9016\nempty 0o100644 1980 0\ngrün.txt 0o100640 1980 2\n")
        let digest = try await python("import sys,hashlib,base64; print(base64.b64encode(hashlib.sha256(open(sys.argv[1],'rb').read()).digest()).decode())", zip)
        #expect(digest == package.digest + "\n")
        // A zip is taken as it is.
        #expect(try CodePacking.read(zip) == package)
    }

    @Test func `a file is packed alone, with its mode`() async throws {
        let directory = try TemporaryDirectory("code")
        let path = try directory.write("#!/bin/sh\n", to: "bootstrap", mode: 0o755)
        let package = try CodePacking.read(path)
        let folder = try TemporaryDirectory("code")
        try folder.write("#!/bin/sh\n", to: "bootstrap", mode: 0o755)
        #expect(try CodePacking.read(folder.path) == package)
    }

    @Test func `links stay links`() async throws {
        let directory = try TemporaryDirectory("code")
        try directory.write("secret", to: "real")
        let fd = try Files.open(directory.path, 0o200000)
        try FileEntries.makeLink(to: "/etc/shadow", named: "link", at: fd.raw)
        let zip = try CodePacking.read(directory.path).zip
        let text = try await python(
            "import sys,io,zipfile; z=zipfile.ZipFile(io.BytesIO(bytes.fromhex(sys.argv[1]))); i=z.getinfo('link'); print(oct(i.external_attr>>28), z.read(i).decode())",
            zip.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        #expect(text == "0o12 /etc/shadow\n")
        try FileEntries.makePipe("pipe", at: fd.raw)
        let error = #expect(throws: CodeFailure.self) { try CodePacking.read(directory.path) }
        #expect(error?.description.contains("pipe") == true)
    }

    @Test func `what is not there is an error that names it`() {
        let error = #expect(throws: CodeFailure.self) { try CodePacking.read("/nonexistent/code") }
        #expect(error?.description.hasPrefix("the code at /nonexistent/code: ") == true)
    }
}
