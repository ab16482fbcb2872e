import Daemon
import Linux
import TestKit
import Testing

/// The dashboard of a real node in a real browser: Debian's Chromium without a window.
@Suite(.serialized, .leavesNothing) struct DashboardBrowserTests {
    @Test func `a person sees what runs, updates come by themselves, and buttons do what they say`() async throws {
        try await ShiftedMachine.with { machine, first in
            try await machine.end(first)
            let node = try await machine.launch(["--http-listen", "127.0.0.1:0"])
            let program = try await machine.copy(of: "/usr/bin/true", as: "scorer")
            try await machine.shift(program, "--to", "container", "--mode", "canary", "--percent", "50")
            #expect(try await machine.run([program]).status.isSuccess)
            let python = try await PythonEnvironment.browser()
            let outcome = try await CommandRunner.run(
                [python.python, #filePath.replacing("DaemonTests/DashboardBrowserTests.swift", with: "Clients/dashboard_browser.py"), try TestNode.forkless(), program],
                environment: [
                    "FORKLESS_STATE=\(machine.test.settings.state)", "FORKLESS_RUN=\(machine.test.settings.run)", "PATH=/usr/bin:/bin",
                    "HOME=\(machine.test.directory.path)", "LC_ALL=C.UTF-8",
                ], within: .seconds(300))
            let said = try machine.said()
            #expect(outcome.status.isSuccess, "\(outcome.text)\(outcome.errorText)\(said)")
            #expect(outcome.text.contains("ok no complaint of the browser"))
            #expect(try await !machine.isShifted(program), "the button has taken the shim away")
            return node
        }
    }
}
