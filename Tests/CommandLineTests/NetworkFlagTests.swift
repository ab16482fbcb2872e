import ArgumentParser
import Engine
import Linux
import Networking
import OCI
import Testing

@testable import CommandLine

@Suite struct NetworkFlagTests {
    private func spec(_ arguments: String...) throws -> ContainerSpec {
        var spec = ContainerSpec(program: "")
        spec.image = ContainerImage("app")
        let place = try PlaceFlags.parse(arguments.filter { $0.hasPrefix("--network=") })
        spec.network = try NetworkFlag.choice(place.networks)
        try NetworkFlags.parse(arguments.filter { !$0.hasPrefix("--network=") }).write(to: &spec)
        return spec
    }

    @Test func `networks are named as Docker names them`() throws {
        #expect(try spec().network == nil)
        #expect(try spec("--network=none").network == .isolated)
        #expect(try spec("--network=host").network == .host)
        #expect(try spec("--network=container:web").network == .container("web"))
        #expect(try spec("--network=default").network == .joined([.init(network: "bridge")]))
        #expect(try spec("--network=a", "--network=b").network == .joined([.init(network: "a"), .init(network: "b")]))
        let long = NetworkAttachment.Joining(
            network: "a", aliases: ["x", "y"], ipv4: IPAddress("10.9.0.2")!, ipv6: IPAddress("fd00::2")!)
        #expect(try spec("--network=name=a,alias=x,alias=y,ip=10.9.0.2,ip6=fd00::2").network == .joined([long]))
        #expect(
            try spec("--network=a", "--network=b", "--network-alias=x", "--network-alias=y", "--ip=10.9.0.2", "--ip6=fd00::2").network
                == .joined([long, .init(network: "b")]))
        #expect(try spec("--network-alias=x").network == .joined([.init(network: "bridge", aliases: ["x"])]))
    }

    @Test(arguments: [
        ["--network="], ["--network=container:"], ["--network=none", "--network=a"], ["--network=a", "--network=container:b"],
        ["--network=name=a,colour=red"], ["--network=alias=x"], ["--network=name=a,ip=fd00::2"], ["--network=none", "--ip=10.9.0.2"],
        ["--network=name=a,alias=x", "--network-alias=y"], ["--ip=fd00::2"], ["--ip6=10.9.0.2"], ["--ip=10.9.0"],
        ["--publish=x"], ["--publish=80:90-91"], ["--publish=80/icmp"], ["--expose=0"], ["--expose=90-80"], ["--expose=80/"], ["--dns=example"],
        ["--add-host=name"], ["--add-host=:10.0.0.1"], ["--add-host=a b:10.0.0.1"], ["--add-host=a:10.0.0"],
    ])
    func `what cannot be meant is refused by its flag`(_ arguments: [String]) throws {
        do {
            var spec = ContainerSpec(program: "")
            spec.image = ContainerImage("app")
            spec.network = try NetworkFlag.choice(arguments.filter { $0.hasPrefix("--network=") }.map { String($0.dropFirst(10)) })
            try NetworkFlags.parse(arguments.filter { !$0.hasPrefix("--network=") }).write(to: &spec)
            Issue.record("\(arguments) was taken for \(spec)")
        } catch let error as FlagError {
            let flag = error.flag == "-p" ? "--publish" : String(error.flag.prefix { $0 != " " })
            #expect(arguments.contains { $0.hasPrefix(flag) }, "\(error)")
        }
    }

    @Test func `ports, names and addresses are read as Docker reads them`() throws {
        let spec = try spec(
            "-p", "8080:80", "-p", "127.0.0.1:9000-9001:90-91/udp", "--publish", "[::]:443:443", "-P", "--expose", "70-71",
            "--expose=53/udp", "--dns", "10.0.0.1", "--dns-search", "a.example", "--dns-search", "b", "--dns-option", "ndots:2",
            "--add-host", "a:10.0.0.2", "--add-host=b=fd00::1", "--add-host", "c:[fd00::2]", "--add-host", "me:host-gateway")
        #expect(spec.ports.map(\.description) == [
            "80/tcp -> 0.0.0.0:8080", "90/udp -> 127.0.0.1:9000", "91/udp -> 127.0.0.1:9001", "443/tcp -> [::]:443",
        ])
        #expect(spec.publishesExposedPorts)
        #expect(spec.exposedPorts.map(\.description) == ["70/tcp", "71/tcp", "53/udp"])
        #expect(spec.nameServers == [IPAddress("10.0.0.1")!])
        #expect(spec.searchDomains == ["a.example", "b"] && spec.resolverOptions == ["ndots:2"])
        #expect(spec.extraHosts.map { $0.address?.description } == ["10.0.0.2", "fd00::1", "fd00::2", nil])
        #expect(try self.spec("--dns-search", ".").searchDomains == [])
    }

    @Test func `ports are shown in runs`() {
        let ports = [80, 81, 82].map { PublishedPort(hostPort: $0 + 8000, containerPort: $0) }
            + [PublishedPort(.udp, hostAddress: IPAddress("::1")!, hostPort: 53, containerPort: 53)]
        let exposed = [ContainerPort(80)!, ContainerPort(443)!, ContainerPort(444)!]
        #expect(
            PortText.cell(published: ports, exposed: exposed)
                == "0.0.0.0:8080-8082->80-82/tcp, [::1]:53->53/udp, 443-444/tcp")
        #expect(PortText.cell(published: [], exposed: []) == "")
        #expect(PortCommand.line(ports[0], isAlone: false) == "80/tcp -> 0.0.0.0:8080\n")
        #expect(PortCommand.line(ports[0], isAlone: true) == "0.0.0.0:8080\n")
    }

    @Test func `a network to be made is read with all it may have`() throws {
        let command = try NetworkCreateCommand.parse([
            "--subnet", "10.9.0.0/16", "--subnet", "fd00::/64", "--gateway", "10.9.0.9", "--ip-range", "10.9.1.0/24", "--internal",
            "--ipv6", "--label", "a=b", "-o", "com.docker.network.driver.mtu=1400", "-d", "bridge", "name",
        ])
        let wish = try command.wish()
        #expect(wish.name == "name" && wish.subnets.count == 2 && wish.gateways.count == 1 && wish.choices.count == 1)
        #expect(wish.isInternal && wish.wantsIPv6 && wish.mtu == 1400 && wish.labels == ["a": "b"])
        for wrong in [["--subnet", "10.9.0.1/16"], ["-o", "colour=red"], ["-o", "mtu=x"], ["-d", "macvlan"], ["--gateway", "g"]] {
            #expect(throws: FlagError.self) { try NetworkCreateCommand.parse(wrong + ["name"]).wish() }
        }
    }
}
