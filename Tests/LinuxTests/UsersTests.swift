import Linux
import Testing

@Suite struct UsersTests {
    static let users = Users(
        passwd: """
            root:x:0:0:root:/root:/bin/sh
            # a comment
            broken:x:notanumber:0::/:/bin/sh
            short:x:5
            toolarge:x:4294967296:0::/:/bin/sh

            web:x:1000:1001:Web,,,:/srv/web:/bin/false
            web:x:7:7:second of its name:/nowhere:/bin/false
            """,
        group: """
            root:x:0:
            web:x:1001:
            logs:x:50:other,web
            audio:x:60:webmaster
            video:x:70:web
            broken:x:x:web
            """)

    @Test func `malformed lines are passed over`() {
        #expect(Self.users.users.map(\.name) == ["root", "web", "web"])
        #expect(Self.users.groups.map(\.name) == ["root", "web", "logs", "audio", "video"])
    }

    static let identities: [(String, Users.Identity)] = [
        ("root", .init(uid: 0, gid: 0, home: "/root")),
        ("web", .init(uid: 1000, gid: 1001, groups: [50, 70], home: "/srv/web")),
        ("1000", .init(uid: 1000, gid: 1001, groups: [50, 70], home: "/srv/web")),
        ("01000", .init(uid: 1000, gid: 1001, groups: [50, 70], home: "/srv/web")),
        ("4242", .init(uid: 4242, gid: 0)),
        ("2147483647", .init(uid: 2_147_483_647, gid: 0)),
        ("web:logs", .init(uid: 1000, gid: 50, home: "/srv/web")),
        ("web:4242", .init(uid: 1000, gid: 4242, home: "/srv/web")),
        ("4242:web", .init(uid: 4242, gid: 1001)),
        ("0:0", .init(uid: 0, gid: 0, home: "/root")),
    ]

    @Test(arguments: identities) func `a user is read as Docker reads it`(
        text: String, identity: Users.Identity
    ) throws {
        #expect(try Self.users.identity(of: text) == identity)
    }

    static let refused: [(String, String)] = [
        ("", "the user is empty"), (":1000", "the user is empty"), (":", "the user is empty"),
        ("1000:", "the group is empty"), ("web:", "the group is empty"),
        ("4294967296", "an id is a number from 0 to 2147483647"),
        ("2147483648", "an id is a number from 0 to 2147483647"),
        ("0:4294967295", "an id is a number from 0 to 2147483647"),
        ("\u{B2}", "an id is a number from 0 to 2147483647"),
        ("-1", "no user of that name in /etc/passwd"), ("+1", "no user of that name in /etc/passwd"),
        (" root", "no user of that name in /etc/passwd"), ("nobody-here", "no user of that name in /etc/passwd"),
        ("web:none", "no group of that name in /etc/group"), ("web:-1", "no group of that name in /etc/group"),
        ("web:logs:more", "no group of that name in /etc/group"),
    ]

    @Test(arguments: refused) func `CVE-2026-30892, CVE-2024-40635, CVE-2026-46680: what is no user is refused with the reason`(text: String, problem: String) {
        let error = #expect(throws: UserError.self) { try Self.users.identity(of: text) }
        #expect(error?.description == "user \"\(text)\": \(problem)")
    }

    @Test func `no files mean no names and numbers still work`() throws {
        let none = Users(passwd: "", group: "")
        #expect(try none.identity(of: "5:6") == .init(uid: 5, gid: 6))
        #expect(throws: UserError.self) { try none.identity(of: "root") }
    }
}
