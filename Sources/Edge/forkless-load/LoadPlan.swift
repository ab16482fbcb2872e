import JSON
import Linux
import Sandbox

/// The sandbox that is measured: everything that isolates, and limits on memory and processes.
enum LoadPlan {
    /// Generous, so that the limits cost what limits cost and end nothing.
    private static let limits = CgroupLimits(memoryBytes: 512 << 20, pids: 64)

    static func plan(root: String, programs: String?) throws -> SandboxPlan {
        var plan = SandboxPlan()
        plan.root = root == "host" ? .host : .directory(root, readOnly: true)
        if let programs { plan.mounts = [Mount(.bind(programs), at: "/programs", readOnly: true)] }
        plan.systemCallFilter = try SeccompProfile.standard.compile().bytes
        plan.limits = limits
        plan.hostname = "load"
        return plan
    }

    /// The same filter, limits and masked paths in the words of an OCI bundle's config.json, so that another runtime
    /// can be asked for an equal sandbox.
    static func profileAsOCI() -> String {
        let value: JSONValue = [
            "seccomp": seccomp(SeccompProfile.standard),
            "maskedPaths": .array(KernelPaths.masked.map { .string($0) }),
            "readonlyPaths": .array(KernelPaths.readOnly.map { .string($0) }),
            "memoryBytes": .integer(Int64(limits.memoryBytes!)),
            "pids": .integer(Int64(limits.pids!)),
        ]
        return JSONWriter.text(value)
    }

    private static func seccomp(_ profile: SeccompProfile) -> JSONValue {
        var value = action(profile.defaultAction, as: "defaultAction", code: "defaultErrnoRet")
        value["syscalls"] = .array(
            profile.rules.map { rule in
                var entry = action(rule.action, as: "action", code: "errnoRet")
                entry["names"] = .array(rule.calls.map { .string($0) })
                entry["args"] = .array(rule.conditions.map(condition))
                return .object(entry)
            })
        return .object(value)
    }

    private static func action(_ action: SeccompAction, as name: String, code: String) -> JSONObject {
        switch action {
        case .allow: [name: "SCMP_ACT_ALLOW"]
        case .errno(let errno): [name: "SCMP_ACT_ERRNO", code: .integer(Int64(errno.rawValue))]
        default: preconditionFailure("the standard profile has no other actions")
        }
    }

    /// OCI has no "masked and not equal"; "not equal" is what its profiles write for it, and costs the same.
    private static func condition(_ condition: ArgumentCondition) -> JSONValue {
        let index = JSONValue.integer(Int64(condition.index))
        return switch condition.comparison {
        case .maskedEqual(let mask, let value):
            ["index": index, "op": "SCMP_CMP_MASKED_EQ", "value": number(mask), "valueTwo": number(value)]
        case .maskedNotEqual(_, let value): ["index": index, "op": "SCMP_CMP_NE", "value": number(value)]
        default: preconditionFailure("the standard profile has no other conditions")
        }
    }

    private static func number(_ value: UInt64) -> JSONValue { .integer(Int64(value)) }
}
