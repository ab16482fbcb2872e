import TestKit
import Testing

@testable import Observation

@Suite struct OriginTests {
    private func origins(_ files: [String: String], executable: [String] = []) throws -> [ProgramOrigin] {
        let root = try TemporaryDirectory()
        for (name, text) in files { try root.write(text, to: name) }
        for name in executable { try root.write("#!/bin/sh\n", to: name, mode: 0o755) }
        return try MachineOrigins.read(root: root.path)
    }

    @Test func `crontabs of the machine and of users`() throws {
        let found = try origins(
            [
                "etc/crontab": """
                # comment
                SHELL=/bin/sh
                PATH=/opt/bin:/usr/bin
                */5 * * * * root /usr/local/bin/score --all > /dev/null 2>&1
                17 *\t* * * www-data cd /srv && nice -n 10 report daily%input\\%
                @reboot root test -x /usr/sbin/anacron || ( cd / && run-parts --report /etc/cron.daily )
                broken line
                1 2 3
                """,
                "etc/cron.d/backup":
                    "0 3 * * mon-fri backup FOO=1 /usr/bin/backup; /usr/bin/prune | /usr/bin/mail admin\n",
                "etc/cron.d/backup.dpkg-old": "0 3 * * * root /never\n",
                "var/spool/cron/crontabs/alice": "30 1 * * * $HOME/bin/x\n*/2 * * * * /bin/poll\n",
            ], executable: ["opt/bin/report", "etc/cron.daily/logrotate", "etc/cron.daily/ignored.sh"])
        func one(_ command: String) throws -> ProgramOrigin {
            try #require(found.first { $0.command.hasPrefix(command) })
        }
        let score = try one("/usr/local/bin/score")
        #expect(score.schedule == "*/5 * * * *")
        #expect(score.user == "root")
        #expect(score.line == 4)
        #expect(score.programs == ["/usr/local/bin/score"])
        #expect(score.title == "cron /etc/crontab:4")
        #expect(try one("cd /srv").programs == ["/opt/bin/report"])
        #expect(try one("cd /srv").command == "cd /srv && nice -n 10 report daily")
        #expect(try one("test -x").schedule == "@reboot")
        #expect(try one("FOO=1").programs == ["/usr/bin/backup", "/usr/bin/prune", "/usr/bin/mail"])
        #expect(try one("/bin/poll").user == "alice")
        #expect(found.filter { $0.kind == .cronDirectory }.map(\.command) == ["/etc/cron.daily/logrotate"])
        #expect(!found.contains { $0.command.contains("never") })
        #expect(found.count == 7)
    }

    @Test func `units of systemd, with what starts them and what changes them`() throws {
        let found = try origins([
            "usr/lib/systemd/system/price.service": """
            [Unit]
            Description=Prices
            [Service]
            User=trader
            ExecStartPre=-/bin/mkdir -p /run/price
            ExecStart=@/usr/bin/price pricer \\
                --all
            """,
            "usr/lib/systemd/system/price.timer": "[Timer]\nOnCalendar=hourly\nOnBootSec=5min\n",
            "usr/lib/systemd/system/hidden.service": "[Service]\nExecStart=/usr/bin/old\n",
            "etc/systemd/system/hidden.service": "[Service]\nExecStart=/usr/bin/new\n",
            "etc/systemd/system/price.service.d/more.conf": "[Service]\nExecStart=\nExecStart=/opt/price\n",
            "usr/lib/systemd/system/echo.socket": "[Socket]\nListenStream=7\nAccept=yes\n",
            "usr/lib/systemd/system/echo@.service": "[Service]\nExecStart=/usr/sbin/echod\n",
            "usr/lib/systemd/system/empty.service": "[Unit]\nDescription=Nothing\n",
        ])
        let price = try #require(found.first { $0.name == "price.service" })
        #expect(price.user == "trader")
        #expect(price.programs == ["/bin/mkdir", "/opt/price"])
        #expect(price.command == "/opt/price")
        let timer = try #require(found.first { $0.kind == .systemdTimer })
        #expect(timer.schedule == "OnCalendar=hourly OnBootSec=5min")
        #expect(timer.command == "/opt/price")
        #expect(found.first { $0.name == "hidden.service" }?.programs == ["/usr/bin/new"])
        let socket = try #require(found.first { $0.kind == .systemdSocket })
        #expect(socket.schedule == "ListenStream=7")
        #expect(socket.programs == ["/usr/sbin/echod"])
        #expect(!found.contains { $0.name == "empty.service" })
    }

    @Test func `servers of inetd and xinetd`() throws {
        let found = try origins([
            "etc/inetd.conf": """
            # comment
            daytime stream tcp nowait root internal
            ident stream tcp wait identd /usr/sbin/identd identd -w
            finger stream tcp nowait nobody /usr/sbin/tcpd /usr/sbin/in.fingerd
            """,
            "etc/xinetd.d/quote": """
            service quote
            {
                disable = no
                socket_type = stream
                protocol = tcp
                port = 7007
                user = nobody
                server = /usr/local/bin/quote
                server_args = -x 1
            }
            """,
            "etc/xinetd.d/off": "service off\n{\n disable = yes\n server = /bin/off\n}\n",
        ])
        #expect(found.map(\.name) == ["ident", "finger", "quote"])
        #expect(found[0].command == "/usr/sbin/identd identd -w")
        #expect(found[1].programs == ["/usr/sbin/in.fingerd", "/usr/sbin/tcpd"])
        #expect(found[2].schedule == "stream tcp port 7007")
        #expect(found[2].command == "/usr/local/bin/quote -x 1")
    }

    @Test func `programs that web servers run`() throws {
        let found = try origins([
            "etc/apache2/conf-enabled/cgi.conf": """
            ScriptAlias /cgi-bin/ /usr/lib/cgi-bin/
            <Directory "/srv/www">
                Options +ExecCGI -Indexes
            </Directory>
            """,
            "etc/nginx/sites-enabled/default": """
            server {
                root /var/www;
                location /report { fastcgi_param SCRIPT_FILENAME /opt/report.cgi;
                    fastcgi_pass unix:/run/fcgiwrap.socket; }
                location /cgi/ {
                    fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
                    fastcgi_pass unix:/run/fcgiwrap.socket;
                }
                location ~ php { fastcgi_pass unix:/run/php.sock; }
            }
            """,
            "etc/lighttpd/lighttpd.conf": "cgi.assign = ( \".pl\" => \"/usr/bin/perl\" )\n",
        ])
        #expect(
            found.map(\.command) == ["/usr/lib/cgi-bin/", "/srv/www/", "/opt/report.cgi", "/var/www/", "/usr/bin/perl"])
    }

    @Test func `no link leads out of the root`() async throws {
        let root = try TemporaryDirectory()
        try root.write("* * * * * root /inside\n", to: "etc/real")
        _ = try await CommandRunner.run(["ln", "-s", "/etc/real", root.path("etc/crontab")])
        #expect(try MachineOrigins.read(root: root.path).map(\.command) == ["/inside"])
    }

    private func matcher() -> OriginMatcher {
        OriginMatcher([
            Examples.cron,
            ProgramOrigin(
                kind: .systemdService, file: "/u", name: "price.service", command: "/opt/price",
                programs: ["/opt/price"]),
            ProgramOrigin(kind: .cgi, file: "/c", name: "cgi", command: "/usr/lib/cgi-bin/"),
        ])
    }

    @Test func `a program comes from what its parent's kind names`() {
        func origins(
            _ program: String?, _ arguments: [String]? = nil, unit: String? = nil, parent: String?
        ) -> [Int] {
            matcher().origins(
                of: OriginMatcher.Subject(program: program, arguments: arguments, unit: unit, parentProgram: parent))
        }
        // cron starts a shell with the line.
        #expect(
            origins("/usr/bin/dash", ["/bin/sh", "-c", "/usr/local/bin/score  --all"], parent: "/usr/sbin/cron") == [0])
        #expect(origins("/opt/price", parent: "/usr/lib/systemd/systemd") == [1])
        #expect(origins("/bin/anything", unit: "price.service", parent: nil) == [1])
        #expect(origins("/usr/lib/cgi-bin/a.cgi", parent: "/usr/sbin/fcgiwrap") == [2])
        #expect(origins("/usr/lib/cgi-bin/a.cgi", parent: "/usr/bin/bash") == [])
    }

    @Test func `a program that somebody starts by hand comes from no crontab`() {
        let subject = OriginMatcher.Subject(
            program: "/usr/local/bin/score", arguments: ["score"], unit: nil, parentProgram: "/usr/bin/bash")
        #expect(matcher().origins(of: subject) == [])
    }
}
