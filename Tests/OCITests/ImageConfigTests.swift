import JSON
import OCI
import Testing

@Suite struct ImageConfigTests {
    private let full = Array(Documents.imageConfig.utf8)

    private func problem(_ change: (inout JSONValue) -> Void) throws -> String? {
        let bytes = Documents.bytes(try JSONParser.parse(full), change)
        do throws(DocumentError) {
            _ = try ImageConfig(bytes)
            return nil
        } catch { return error.description }
    }

    @Test func `every field of a config is read`() throws {
        let config = try ImageConfig(full)
        #expect(config.platform.description == "linux/arm64")
        #expect(config.created == "2026-01-02T03:04:05Z")
        let defaults = config.defaults
        #expect(defaults.user == "1000:1000")
        #expect(defaults.entrypoint == ["/app"])
        #expect(defaults.cmd == ["-v"])
        #expect(defaults.workingDirectory == "/srv")
        #expect(defaults.exposedPorts.map(\.description) == ["53/udp", "80/tcp"])
        #expect(defaults.volumes == ["/data"])
        #expect(defaults.labels == ["a": "1", "b": "2"])
        #expect(defaults.stopSignal == "SIGQUIT")
        #expect(defaults.shell == ["/bin/bash", "-c"])
        #expect(defaults.healthcheck == Healthcheck(test: .shell("ok"), interval: 5_000_000_000, retries: 2))
        #expect(defaults.onBuild == ["RUN x"])
        #expect(config.history.map(\.isEmptyLayer) == [false, true])
        #expect(config.diffIDs == [Documents.digest("c")])
    }

    @Test func `changing a field changes that field only`() throws {
        var config = try ImageConfig(full)
        config.defaults.user = "0"
        var expected = try JSONParser.parse(full)
        expected["config", "User"] = "0"
        #expect(try JSONParser.parse(config.encoded()) == expected)
        #expect(config.encoded() == config.encoded())
    }

    @Test func `a config of no layers is written and read`() throws {
        let config = ImageConfig(platform: Platform("linux/arm/v7")!)
        let again = try ImageConfig(config.encoded())
        #expect(again.platform == config.platform)
        #expect(again.defaults == ImageDefaults())
        #expect(again.encoded() == config.encoded())
    }

    @Test func `an image config whose config is null or missing has no defaults`() throws {
        #expect(try problem { $0["config"] = .null } == nil)
        #expect(try problem { $0["config"] = nil } == nil)
        #expect(try ImageConfig(Documents.bytes(try JSONParser.parse(full)) { $0["config"] = .null }).defaults
            == ImageDefaults())
    }

    @Test func `CVE-2026-57231: a variable without a value names none`() throws {
        let bytes = Documents.bytes(try JSONParser.parse(full)) { $0["config", "Env"] = ["AWS_SECRET", "=x", "A=b=c", "E="] }
        let environment = try ImageConfig(bytes).defaults.environment
        #expect(environment.map { "\($0.name)|\($0.value)" } == ["A|b=c", "E|"])
        #expect(try ImageConfig(full).defaults.environment.map { "\($0.name)=\($0.value)" } == ["PATH=/usr/bin", "LANG=C"])
    }

    @Test func `hostile fields are refused by name`() throws {
        #expect(try problem { $0["config", "User"] = "a\0b" }?.contains("config.User: it holds a NUL") == true)
        #expect(try problem { $0["config", "Env"] = ["A=\0"] }?.contains("config.Env[0]") == true)
        #expect(try problem { $0["config", "Labels"] = ["x\0": "y"] }?.contains("config.Labels.x?") == true)
        #expect(try problem { $0["config", "Entrypoint"] = "sh" }?.contains("config.Entrypoint") == true)
        #expect(try problem { $0["config", "ExposedPorts"] = ["0/tcp": [:]] }?.contains("ExposedPorts") == true)
        #expect(try problem { $0["config", "Healthcheck", "Interval"] = -1 }?.contains("Interval") == true)
        #expect(try problem { $0["config", "Healthcheck", "Test"] = ["RUN"] }?.contains("Healthcheck.Test") == true)
        #expect(try problem { $0["rootfs", "diff_ids"] = ["sha256:../../x"] }?.contains("diff_ids[0]") == true)
        #expect(try problem { $0["rootfs", "type"] = "windows" }?.contains("rootfs.type") == true)
        #expect(try problem { $0["rootfs"] = nil }?.contains("rootfs") == true)
        #expect(try problem { $0["os"] = nil }?.contains("os: expected a string") == true)
    }

    @Test func `CVE-2026-47262: a config of many megabytes, layers or history entries is refused`() throws {
        #expect(throws: DocumentError.self) { try ImageConfig([UInt8](repeating: 0x20, count: 1 << 23)) }
        let digests = JSONValue.array(Array(repeating: Documents.digest("c").json, count: 501))
        #expect(try problem { $0["rootfs", "diff_ids"] = digests }?.contains("501 layers") == true)
        #expect(try problem { $0["history"] = .array(Array(repeating: [:], count: 5000)) }?.contains("5000") == true)
    }
}
