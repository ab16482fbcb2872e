import Testing

@testable import Packing

@Suite struct DebianDatabaseTests {
    private let tree = SmallTree(
        [
            "/var/lib/dpkg/status": """
            Package: bash
            Status: install ok installed
            Essential: yes
            Architecture: amd64
            Version: 5.2-1
            Pre-Depends: libc6 (>= 2.36), libtinfo6 (>= 6) | libtinfo5
            Description: a shell
             with a long
             description

            Package: libc6
            Status: install ok installed
            Architecture: amd64
            Version: 2.36-9
            Depends: libgcc-s1, libcrypt
            Multi-Arch: same

            Package: libcrypt1
            Status: install ok installed
            Architecture: amd64
            Version: 1:4.4
            Provides: libcrypt (= 1)

            Package: gone
            Status: deinstall ok config-files
            Architecture: all
            Version: 1

            Package: perf
            Status: install ok installed
            Architecture: all
            Version: 6


            """,
            "/var/lib/dpkg/info/bash.list": "/.\n/bin\n/bin/bash\n/usr/share/doc/bash/copyright\n",
            "/var/lib/dpkg/info/libc6:amd64.list": "/.\n/lib/x86_64-linux-gnu/libc.so.6\n/usr/bin/perf\n",
            "/var/lib/dpkg/info/perf.list": "/.\n/usr/bin/perf\n",
            "/var/lib/dpkg/diversions": "/usr/bin/perf\n/usr/bin/perf.wrapper\nperf\n",
            "/usr/bin/bash": "", "/usr/lib/x86_64-linux-gnu/libc.so.6": "",
        ], links: ["/bin": "usr/bin", "/lib": "usr/lib"])

    @Test func `a file is found where the merged directory leads`() throws {
        let database = try DebianDatabase(tree)
        #expect(database.owner(of: "/usr/bin/bash")?.version == "5.2-1")
        #expect(database.owner(of: "/usr/lib/x86_64-linux-gnu/libc.so.6")?.name == "libc6")
        #expect(database.owner(of: "/bin/bash") == nil)
        #expect(database.files(of: "bash").contains("/usr/bin/bash"))
    }

    @Test func `a diverted file belongs to who diverted it`() throws {
        let database = try DebianDatabase(tree)
        #expect(database.owner(of: "/usr/bin/perf")?.name == "perf")
        #expect(database.owner(of: "/usr/bin/perf.wrapper")?.name == "libc6")
    }

    @Test func `what a package needs is followed through alternatives and virtual packages`() throws {
        let database = try DebianDatabase(tree)
        #expect(database.closure(of: ["bash"]).map(\.name) == ["bash", "libc6", "libcrypt1"])
        #expect(database.essential == ["bash"])
        #expect(database.packages["gone"] == nil)
        #expect(database.closure(of: ["nothing"]) == [])
    }

    @Test func `a machine without a database has no packages`() throws {
        #expect(try DebianDatabase(SmallTree(["/bin/x": ""])).packages.isEmpty)
    }
}
