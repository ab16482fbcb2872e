import Engine
import Glibc
import KubeControllers
import Linux
import Sandbox

/// What the Kubernetes API says of this machine.
struct KubeMachine: Sendable {
    /// The name of the Node object: the machine's, as an RFC 1123 name.
    let name: String
    /// Where others reach the machine; 127.0.0.1 on a machine that is in no network.
    let address: IPAddress
    let facts: MachineFacts
    private let version: String
    /// Bytes of the filesystem that pods write to.
    private let storage: Int64

    /// - Parameter directory: where pods' files are, an absolute path.
    init(_ facts: MachineFacts, version: String, directory: String) {
        self.facts = facts
        self.version = version
        storage = Self.size(ofFilesystemAt: directory)
        name = Self.objectName(MachineName.current().node)
        address = Self.ownAddress()
    }

    /// Lower case, and "-" for what a name cannot hold.
    static func objectName(_ hostname: String) -> String {
        let bytes = hostname.lowercased().utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."): byte
            default: UInt8(ascii: "-")
            }
        }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: ".").map { part in
            part.split(separator: "-").joined(separator: "-")
        }
        let name = parts.filter { !$0.isEmpty }.joined(separator: ".")
        return name.isEmpty ? "forkless" : String(name.prefix(63))
    }

    /// The address from which this machine would talk to the world: asked of the kernel's routes, nothing is sent.
    private static func ownAddress() -> IPAddress {
        let loopback = IPAddress("127.0.0.1")!
        let documentation = InternetEndpoint(IPAddress("192.0.2.1")!, 9)
        guard let socket = try? InternetSocket.connect(.datagram, to: documentation) else { return loopback }
        let raw = socket.raw
        return (try? InternetSocket.local(raw))??.address ?? loopback
    }

    /// As the Node object shows it, now.
    func nodeFacts(podRange: Subnet) -> NodeFacts {
        var node = NodeFacts(name: name)
        node.addresses = [
            NodeFacts.Address(type: "InternalIP", address: "\(address)"), NodeFacts.Address(type: "Hostname", address: name),
        ]
        node.podRanges = ["\(podRange)"]
        node.milliCPU = Int64(facts.capacity.cpus.count) * 1000
        node.memory = Int64(facts.capacity.memoryBytes)
        node.ephemeralStorage = storage
        node.machineID = text("/etc/machine-id")
        node.bootID = text("/proc/sys/kernel/random/boot_id")
        node.systemUUID = text("/sys/class/dmi/id/product_uuid")
        node.kernelVersion = MachineName.current().kernel
        node.osImage = Self.osImage()
        node.runtimeVersion = "forkless://\(version)"
        node.kubeletVersion = "v1.37.0+forkless-\(version)"
        #if arch(arm64)
            node.architecture = "arm64"
        #else
            node.architecture = "amd64"
        #endif
        return node
    }

    /// statvfs(3); 0 where that fails, so that no pod is promised what nobody knows.
    private static func size(ofFilesystemAt path: String) -> Int64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return 0 }
        let (blocks, size) = (Int64(clamping: status.f_blocks), Int64(clamping: status.f_frsize))
        let (bytes, overflows) = blocks.multipliedReportingOverflow(by: size)
        return overflows ? .max : bytes
    }

    private func text(_ path: String) -> String { (try? Files.readText(path)) ?? "" }

    /// PRETTY_NAME of os-release(5).
    private static func osImage() -> String {
        let lines = ((try? Files.readText("/etc/os-release")) ?? "").split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("PRETTY_NAME=") }) else { return "Linux" }
        return String(line.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" })
    }
}
