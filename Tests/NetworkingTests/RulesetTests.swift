import Linux
import TestKit
import Testing

@testable import Networking

@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct `packet rules` {
    private let small = Ruleset(
        bridges: [.init(name: "fka", subnets: [Subnet("10.201.0.0/16")!], isInternal: false)],
        ports: [.init(.init(hostPort: 8080, containerPort: 80), target: IPAddress("10.201.0.2")!)])
    private let large = Ruleset(
        bridges: [
            .init(name: "fka", subnets: [Subnet("10.201.0.0/16")!], isInternal: true),
            .init(name: "fkb", subnets: [Subnet("10.202.0.0/16")!, Subnet("fd00::/64")!], isInternal: false),
        ],
        ports: [
            .init(.init(hostPort: 8080, containerPort: 81), target: IPAddress("10.201.0.3")!),
            .init(.init(.udp, hostAddress: IPAddress("127.0.0.1")!, hostPort: 53, containerPort: 53), target: IPAddress("10.201.0.2")!),
            .init(.init(hostAddress: .anyIPv6, hostPort: 80, containerPort: 80), target: IPAddress("fd00::2")!),
            .init(.init(hostAddress: IPAddress("fd00::9")!, hostPort: 80, containerPort: 80), target: IPAddress("fd00::2")!),
        ])

    private func rules(_ machine: TestMachine) async throws -> String { try await machine.run("nft", "list", "ruleset").text }

    @Test func `a difference names only what differs`() {
        let text = RulesetText(table: "t")
        #expect(text.difference(from: small, to: small) == "")
        var more = small
        more.ports.append(.init(.init(.udp, hostPort: 1, containerPort: 2), target: IPAddress("10.201.0.2")!))
        #expect(text.difference(from: small, to: more) == "add element inet t any4 { udp . 1 : 10.201.0.2 . 2 }\n")
        #expect(text.difference(from: more, to: small) == "delete element inet t any4 { udp . 1 : 10.201.0.2 . 2 }\n")
    }

    @Test func `a difference leads to the same rules as the whole`() async throws {
        let machine = try await TestMachine("difference")
        let program = RulesetProgram(machine: machine.network, table: "forkless_1")
        var moved = large
        moved.ports.remove(at: 1)
        moved.ports[0].target = IPAddress("10.201.0.9")!
        moved.ports.append(.init(.init(.udp, hostPort: 8080, containerPort: 9), target: IPAddress("10.201.0.4")!))
        moved.ports.append(
            .init(.init(hostAddress: IPAddress("192.0.2.1")!, hostPort: 8080, containerPort: 9), target: IPAddress("10.201.0.4")!))
        // From ports to ports the kernel is told directly, everything else by nft.
        let text = RulesetText(table: "forkless_1")
        #expect(text.batch(from: large, to: moved)?.isEmpty == false && text.batch(from: small, to: large) == nil)
        let states = [small, large, moved, large, Ruleset(), large, small]
        for state in states {
            try await program.apply(state)
            let byDifference = try await rules(machine)
            let fresh = RulesetProgram(machine: machine.network, table: "forkless_1")
            try await fresh.apply(state)
            #expect(try await rules(machine) == byDifference)
        }
        try await program.remove()
        #expect(try await rules(machine) == "")
        try machine.end()
    }

    @Test func `rules that somebody flushed are put back as a whole`() async throws {
        let machine = try await TestMachine("flush")
        let program = RulesetProgram(machine: machine.network, table: "forkless_1")
        try await program.apply(small)
        _ = try await machine.run("nft", "flush", "ruleset")
        try await program.apply(large)
        let back = try await rules(machine)
        #expect(back.contains("masquerade") && back.contains("fkb"))
        try machine.end()
    }

    @Test func `rules of other tables are left alone`() async throws {
        let machine = try await TestMachine("others")
        _ = try await machine.run("nft", "add table inet theirs; add set inet theirs s { type ifname; }")
        let before = try await rules(machine)
        let program = RulesetProgram(machine: machine.network, table: "forkless_1")
        try await program.apply(small)
        try await program.apply(large)
        try await program.remove()
        try await program.remove()
        #expect(try await rules(machine) == before)
        try machine.end()
    }

    @Test func `rules that nft refuses are an error in its words`() async throws {
        let machine = try await TestMachine("refused")
        let program = RulesetProgram(machine: machine.network, table: "forkless_1")
        // Two targets for one port.
        var wrong = small
        wrong.ports.append(.init(.init(hostPort: 8080, containerPort: 81), target: IPAddress("10.201.0.9")!))
        await #expect(throws: NetworkFailure.self) { try await program.apply(wrong) }
        #expect(try await rules(machine) == "")
        try await program.apply(small)
        #expect(try await rules(machine).contains("8080"))
        try machine.end()
    }
}
