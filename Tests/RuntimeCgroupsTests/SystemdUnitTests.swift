import Linux
import MessageBus
import OCI
import Testing

@testable import RuntimeCgroups

/// A container's cgroup as a unit of systemd: its name, its place, its properties.
@Suite struct SystemdUnitTests {
    @Test func `a path of three parts is a scope in its slice`() throws {
        for (path, name, cgroup) in [
            ("machine.slice:libpod:abc", "libpod-abc.scope", "/machine.slice/libpod-abc.scope"),
            (
                "kubepods-besteffort-pod1.slice:cri:x", "cri-x.scope",
                "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1.slice/cri-x.scope"
            ),
            ("-.slice::x", "x.scope", "/x.scope"), (":p:x", "p-x.scope", "/system.slice/p-x.scope"),
        ] {
            let unit = try SystemdUnit(path, id: "id", isUser: false)
            #expect(unit.name == name && unit.cgroup == cgroup, "\(path): \(unit.name) \(unit.cgroup)")
        }
        let unit = try SystemdUnit(nil, id: "id", isUser: true)
        #expect(unit.slice == "user.slice" && unit.name == "forkless-id.scope")
    }

    @Test(arguments: [
        "/a/b", "a:b", "a.slice:b:", "a.slice:b:c.slice", "a:b:c", "a--b.slice:b:c", "-a.slice:b:c", "a/b.slice:b:c",
        "../x.slice:b:c", "a.slice:..:/c", "a.slice:b:c\n", "a.slice:b:c:d",
        "a.slice:b:\(String(repeating: "x", count: 256))",
    ])
    func `what is no unit is refused`(_ path: String) {
        #expect(throws: SystemError.self) { _ = try SystemdUnit(path, id: "id", isUser: false) }
    }

    private func properties(_ json: String, unified: Bool, version: Int = 252) throws -> [String: BusValue] {
        let list = try SystemdProperties(
            try Resources(Array(json.utf8)), isUnified: unified, version: version, hasDevices: true
        ).list
        return Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.value) })
    }

    @Test func `limits are properties of v2 or of v1`() throws {
        let limits = """
            {"memory":{"limit":1048576,"swap":3145728,"reservation":4096},"pids":{"limit":-1},
             "cpu":{"shares":1024,"quota":25000,"period":100000,"cpus":"0-1,9"},"blockIO":{"weight":1000}}
            """
        let unified = try properties(limits, unified: true)
        #expect(unified["MemoryMax"] == .uint64(1_048_576) && unified["MemorySwapMax"] == .uint64(2_097_152))
        #expect(unified["MemoryLow"] == .uint64(4096) && unified["TasksMax"] == .uint64(.max))
        #expect(unified["CPUWeight"] == .uint64(100) && unified["CPUQuotaPerSecUSec"] == .uint64(250_000))
        #expect(unified["AllowedCPUs"] == .array("y", [.byte(3), .byte(2)]) && unified["IOWeight"] == .uint64(10_000))
        let legacy = try properties(limits, unified: false)
        #expect(legacy["MemoryLimit"] == .uint64(1_048_576) && legacy["CPUShares"] == .uint64(1024))
        #expect(legacy["BlockIOWeight"] == .uint64(1000) && legacy["AllowedCPUs"] == nil && legacy["MemoryLow"] == nil)
        // Older ones know less, and refuse what they do not know.
        let old = try properties(limits, unified: true, version: 241)
        #expect(old["CPUQuotaPeriodUSec"] == nil && old["AllowedCPUs"] == nil && old["CPUQuotaPerSecUSec"] != nil)
    }

    @Test func `a part of a processor is rounded up to what systemd can say`() {
        #expect(SystemdProperties.quotaPerSecond(1, 1_000_000) == 10_000)
        #expect(SystemdProperties.quotaPerSecond(33_333, 100_000) == 340_000)
        #expect(SystemdProperties.quotaPerSecond(-1, 100_000) == .max)
        #expect(SystemdProperties.quotaPerSecond(.max, 1) == .max)
    }

    @Test func `devices are allowed one by one, and what systemd cannot say is refused`() throws {
        let some = try properties(
            #"{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"b","major":8,"minor":1,"access":"r"}]}"#,
            unified: true)
        #expect(some["DevicePolicy"] == .string("strict"))
        guard case .array("(ss)", let entries)? = some["DeviceAllow"] else {
            Issue.record("\(some)")
            return
        }
        for (name, access) in [
            ("/dev/block/8:1", "r"), ("/dev/char/1:3", "rwm"), ("char-136", "rwm"), ("block-*", "m"),
        ] {
            let isOne = entries.contains { entry in
                guard case .structure(let parts) = entry else { return false }
                return parts[0] == .string(name) && (parts[1].text ?? "").contains(access)
            }
            #expect(isOne, "\(name): \(entries)")
        }
        let all = try properties(#"{"devices":[{"allow":true,"access":"rwm"}]}"#, unified: true)
        #expect(all["DevicePolicy"] == .string("auto") && all["DeviceAllow"] == .array("(ss)", []))
        #expect(throws: SystemError.self) {
            _ = try properties(#"{"devices":[{"allow":true,"type":"c","minor":3,"access":"r"}]}"#, unified: true)
        }
    }

    @Test func `annotations set only what concerns the scope's own end`() throws {
        let read = try SystemdAnnotations([
            "org.systemd.property.TimeoutStopUSec": "uint64 10000000", "org.systemd.property.CollectMode": "'inactive'",
            "org.systemd.property.SuccessAction": "'reboot-force'", "org.systemd.property.TimeoutStopSec": "5",
            "other": "x",
        ])
        #expect(read.ignored == ["org.systemd.property.SuccessAction"])
        #expect(Set(read.properties.map(\.value)) == [.uint64(10_000_000), .string("inactive"), .uint64(5_000_000)])
        // Those that are said to have an effect have one.
        let named = try SystemdAnnotations(Dictionary(uniqueKeysWithValues: SystemdAnnotations.names.map { ($0, "5") }))
        #expect(named.properties.count == 3 && named.ignored == [])
        for text in ["", "'", "'a'b'", "uint64 -1", "uint64 x", "[1]", "\"\\\""] {
            #expect(throws: SystemError.self, "\(text)") {
                _ = try SystemdAnnotations(["org.systemd.property.CollectMode": text])
            }
        }
    }
}
