import TestKit
import Testing

@testable import Linux

/// Giving trees to a group.
@Suite(.enabled(if: isRoot), .timeLimit(.minutes(1))) struct TreeGroupTests {
    private let group: UInt32 = 4321

    @Test func `a tree is given to a group as a whole, and nothing outside of it`() throws {
        let directory = try TemporaryDirectory("group")
        defer { withExtendedLifetime(directory) {} }
        let (top, outside) = (directory.path("top"), directory.path("outside"))
        try Files.makeDirectories(top + "/deep/deeper", mode: 0o700)
        for file in [outside, top + "/file", top + "/deep/deeper/program"] {
            try Files.replace(file, with: [], mode: 0o600)
        }
        try FileEntries.setMode(0o4755, of: top + "/deep/deeper/program", at: Files.here)
        try FileEntries.makeLink(to: outside, named: top + "/link", at: Files.here)
        try Files.giveTree(top, toGroup: group)
        let modes: [(String, UInt32)] = [
            ("", 0o2770), ("/deep", 0o2770), ("/deep/deeper", 0o2770), ("/file", 0o660), ("/deep/deeper/program", 0o4775),
        ]
        for (path, mode) in modes {
            let status = try Files.status(top + path)
            #expect(status.group == group && status.permissions == mode, "\(path)")
        }
        #expect(try Files.status(top + "/link", followLinks: false).group == group)
        let untouched = try Files.status(outside)
        #expect(untouched.group != group && untouched.permissions == 0o600)
    }

    @Test func `a tree that is done is left alone only when that is wanted`() throws {
        let directory = try TemporaryDirectory("group")
        defer { withExtendedLifetime(directory) {} }
        let top = directory.path("top")
        try Files.makeDirectories(top)
        try Files.giveTree(top, toGroup: group)
        try Files.replace(top + "/file", with: [], mode: 0o600)
        try FileEntries.setOwner(.max, 0, of: top + "/file", at: Files.here)
        try Files.giveTree(top, toGroup: group, unlessDone: true)
        #expect(try Files.status(top + "/file").group == 0)
        try Files.giveTree(top, toGroup: group)
        #expect(try Files.status(top + "/file").group == group)
    }
}
