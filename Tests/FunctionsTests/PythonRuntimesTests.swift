import Lambda
import Linux
import TestKit
import Testing

@testable import Functions

/// Where Pythons and AWS's runtime client are looked for.
@Suite struct PythonRuntimesTests {
    /// A file system of a test's own.
    private struct Table: PythonFiles {
        var programs: [String: String] = [:]
        var files: Set<String> = []
        var directories: [String: [String]] = [:]

        func isFile(_ path: String) -> Bool { files.contains(path) }
        func names(_ directory: String) -> [String] { directories[directory] ?? [] }
        func program(_ path: String) -> String? { programs[path] }
    }

    private func runtimes(_ table: Table, directories: [String] = ["/state/runtimes"]) -> PythonRuntimes {
        PythonRuntimes(directories: directories, path: "/shims:/home/me/bin", home: "/home/me", files: table)
    }

    @Test(arguments: ["python3.9", "python3.11", "python3.14"])
    func `a runtime is python3 and a version that AWS's client knows`(name: String) {
        #expect(PythonRuntimes.isRuntime(name))
    }

    @Test(arguments: ["python3", "python3.", "python3.8", "python3.011", "python3.11 ", "python2.7", "Python3.11", "python3.11.2", "python3.-11"])
    func `no other name is a runtime`(name: String) {
        #expect(!PythonRuntimes.isRuntime(name))
        #expect(throws: InstanceStartFailure.self) { try runtimes(Table()).find(name) }
    }

    @Test func `PATH comes first, then the system's places, then pyenv's newest`() throws {
        var table = Table()
        table.directories["/home/me/.pyenv/versions"] = ["3.11.2", "3.11.10", "3.1.1", "3.12.1", "system"]
        for version in ["3.11.2", "3.11.10"] {
            let path = "/home/me/.pyenv/versions/\(version)/bin/python3.11"
            table.programs[path] = path
            table.files.insert("/home/me/.pyenv/versions/\(version)/lib/python3.11/site-packages/awslambdaric/bootstrap.py")
        }
        #expect(try runtimes(table).find("python3.11").prefix == "/home/me/.pyenv/versions/3.11.10")
        table.files.insert("/state/runtimes/python3.11/awslambdaric/bootstrap.py")
        table.programs["/usr/bin/python3.11"] = "/usr/bin/python3.11"
        let found = try runtimes(table).find("python3.11")
        #expect(found == PythonRuntime(name: "python3.11", interpreter: "/usr/bin/python3.11", packages: "/state/runtimes/python3.11"))
        #expect(found.isShownByMachine)
        table.programs["/home/me/bin/python3.11"] = "/home/me/python/bin/python3.11"
        #expect(try runtimes(table).find("python3.11").prefix == "/home/me/python")
        #expect(runtimes(table).available == ["python3.11"])
    }

    @Test func `a directory that was given comes before what the interpreter has itself`() throws {
        var table = Table()
        table.programs["/usr/bin/python3.11"] = "/usr/bin/python3.11"
        table.files = ["/usr/lib/python3/dist-packages/awslambdaric/bootstrap.py"]
        #expect(try runtimes(table).find("python3.11").packages == nil)
        table.files.insert("/state/runtimes/python3.11/awslambdaric/bootstrap.py")
        table.files.insert("/mine/python3.11/awslambdaric/bootstrap.py")
        #expect(
            try runtimes(table, directories: ["/mine", "/state/runtimes"]).find("python3.11").packages == "/mine/python3.11")
    }

    @Test func `what is missing is named with its remedy`() throws {
        var table = Table()
        table.programs["/usr/bin/python3.12"] = "/usr/bin/python3.12"
        let noPython = #expect(throws: InstanceStartFailure.self) { try runtimes(table).find("python3.11") }
        #expect(noPython?.errorMessage.contains("this machine has python3.12") == true)
        let noClient = #expect(throws: InstanceStartFailure.self) { try runtimes(table).find("python3.12") }
        #expect(noClient?.errorType == "Runtime.InvalidEntrypoint")
        #expect(noClient?.isPermanent == true)
        #expect(
            noClient?.errorMessage.hasSuffix("/usr/bin/python3.12 -m pip install --target /state/runtimes/python3.12 awslambdaric")
                == true)
    }

    @Test func `a script that stands in for an interpreter is passed over`() throws {
        let directory = try TemporaryDirectory("python")
        try directory.write("#!/bin/sh\nexec true\n", to: "shims/python3.11", mode: 0o755)
        #expect(MachineFiles().program(directory.path("shims/python3.11")) == nil)
        #expect(MachineFiles().program(directory.path("nothing")) == nil)
        let shell = try #require(MachineFiles().program("/bin/sh"))
        #expect(!shell.isEmpty)
    }
}
