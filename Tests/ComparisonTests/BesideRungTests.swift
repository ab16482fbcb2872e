import Linux
import TestKit
import Testing

@testable import Comparison

struct BesideRungTests {
    /// As Podman: what is being made is not known to it by name, and stays when the one who makes it is killed.
    private static func tool(_ directory: String) -> String {
        """
        #!/bin/sh
        case $1 in
        run)
            while [ "$1" != --name ]; do shift; done
            trap 'echo removed > \(directory)/end; exit 137' TERM
            sleep 1
            echo $$ > \(directory)/$2
            while :; do sleep 0.1; done ;;
        rm) [ -e \(directory)/$3 ] && kill -TERM $(cat \(directory)/$3) ;;
        esac
        """
    }

    @Test func `a call that hangs is ended by the tool itself, also while it makes the container`() async throws {
        let directory = try TemporaryDirectory("beside")
        let file = try directory.write(Self.tool(directory.path), to: "podman", mode: 0o755)
        let rung = try BesideRung(.podman, "cat", [], ownExecutable: "/none", executable: file)
        let sample = try await rung.call([], limit: 100_000_000)
        #expect(sample.failure?.kind == .hang)
        #expect(try Files.readText(directory.path("end")) == "removed")
        await rung.close()
    }
}
