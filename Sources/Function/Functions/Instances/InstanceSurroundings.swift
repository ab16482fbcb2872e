internal import HTTPServing
internal import Lambda
internal import Sandbox

/// What an instance is given by its launcher.
struct InstanceSurroundings {
    let name: String
    let function: DeployedFunction
    let isProvisioned: Bool
    let loop: ServingLoop
    let sandboxes: FunctionSandboxes
    let logs: LogThread
    let ground: InstanceGround
    let cgroups: CgroupLayout
    let clock: @Sendable () -> Instant
    let events: (InstanceEvent) -> Void

    /// How the service calls the way in which it came to be.
    var kind: String { isProvisioned ? "provisioned-concurrency" : "on-demand" }

    /// 32 hexadecimal digits.
    static func randomID() -> String {
        func digits(_ number: UInt64) -> String {
            let text = String(number, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return digits(.random(in: .min ... .max)) + digits(.random(in: .min ... .max))
    }

    /// The same as a UUID, version 4.
    static func randomUUID() -> String {
        var text = Array(randomID().utf8)
        text[12] = UInt8(ascii: "4")
        text[16] = Array("89ab".utf8).randomElement()!
        let parts = [text[0..<8], text[8..<12], text[12..<16], text[16..<20], text[20..<32]]
        return parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "-")
    }
}

extension FunctionRuntime {
    /// As `Runtime` has it.
    var name: String {
        switch self {
        case .bootstrap: "provided"
        case .python(let name): name
        case .image: "image"
        case .stdio: "forkless.stdio"
        }
    }
}
