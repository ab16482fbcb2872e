import Linux
package import OCI

/// Which devices a container can use: its rules in their order, the last that fits decides for each kind of access.
///
/// Invariants (each with a test in DeviceRulesTests):
/// 1. Without rules nothing is allowed but the devices that every container has (config-linux.md, "Default Devices").
/// 2. `allows` says what the v1 lists and the v2 program do. (`v1's lists and v2's program say the same as the rules`)
package struct DeviceRules: Hashable, Sendable {
    /// Everything denied first, then the given ones, then the devices that every container has.
    package let rules: [DeviceRule]

    package init(_ given: [DeviceRule]) {
        rules = [DeviceRule(isAllowed: false, kind: .all)] + given + Self.always
    }

    /// Nodes of any kind may be made, and the standard ones used; as other runtimes have it.
    package static let always: [DeviceRule] =
        [
            DeviceRule(isAllowed: true, kind: .character, access: .makeNode),
            DeviceRule(isAllowed: true, kind: .block, access: .makeNode),
        ]
        + [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2)].map { major, minor in
            DeviceRule(isAllowed: true, kind: .character, major: major, minor: minor)
        }
        // The container's own terminals.
        + [DeviceRule(isAllowed: true, kind: .character, major: 136)]

    /// Whether all of `access` is allowed.
    package func allows(_ kind: DeviceRule.Kind, major: UInt32, minor: UInt32, _ access: DeviceRule.Access) -> Bool {
        var open = access
        for rule in rules.reversed() where rule.covers(kind, major, minor) {
            if rule.isAllowed {
                open.subtract(rule.access)
                if open.isEmpty { return true }
            } else if !open.isDisjoint(with: rule.access) {
                return false
            }
        }
        return open.isEmpty
    }
}

extension DeviceRule {
    fileprivate func covers(_ kind: Kind, _ major: UInt32, _ minor: UInt32) -> Bool {
        (self.kind == .all || self.kind == kind) && (self.major ?? major) == major && (self.minor ?? minor) == minor
    }

    /// Whether it says something about every access to every device.
    fileprivate var isBlanket: Bool { kind == .all && major == nil && minor == nil && access == .all }
}

/// The rules as v1's controller keeps them: everything or nothing, and exceptions from that
/// (Documentation/admin-guide/cgroup-v1/devices.rst of Linux).
///
/// An exception is a device or a whole range; v1 cannot take a part out of one.
struct DeviceLists: Hashable, Sendable {
    struct Exception: Hashable, Sendable {
        var kind: DeviceRule.Kind
        var major: UInt32?
        var minor: UInt32?
    }

    private(set) var allowsAll = false
    /// In the order in which they came.
    private(set) var exceptions: [(Exception, DeviceRule.Access)] = []

    static func == (a: DeviceLists, b: DeviceLists) -> Bool {
        a.allowsAll == b.allowsAll && Set(a.lines) == Set(b.lines)
    }
    func hash(into hasher: inout Hasher) { hasher.combine(allowsAll) }

    /// - Throws: `SystemError` (EOPNOTSUPP) for an exception from an exception.
    init(_ rules: DeviceRules) throws(SystemError) {
        for rule in rules.rules {
            if rule.isBlanket {
                allowsAll = rule.isAllowed
                exceptions = []
                continue
            }
            // The kernel takes "a" for everything, whatever stands behind it.
            let kinds: [DeviceRule.Kind] = rule.kind == .all ? [.character, .block] : [rule.kind]
            for kind in kinds {
                let device = Exception(kind: kind, major: rule.major, minor: rule.minor)
                if rule.isAllowed != allowsAll {
                    add(device, rule.access)
                } else {
                    try takeBack(device, rule.access)
                }
            }
        }
    }

    /// The lines of devices.allow, or of devices.deny where everything else is allowed.
    var lines: [String] {
        exceptions.map { device, access in
            "\(device.kind.rawValue) \(Self.number(device.major)):\(Self.number(device.minor)) \(access.letters)"
        }
    }

    private static func number(_ number: UInt32?) -> String { number.map(String.init) ?? "*" }

    private mutating func add(_ device: Exception, _ access: DeviceRule.Access) {
        if let at = exceptions.firstIndex(where: { $0.0 == device }) {
            exceptions[at].1.formUnion(access)
        } else {
            exceptions.append((device, access))
        }
    }

    private mutating func takeBack(_ device: Exception, _ access: DeviceRule.Access) throws(SystemError) {
        for at in exceptions.indices {
            let (other, have) = exceptions[at]
            guard !have.isDisjoint(with: access), device.meets(other) else { continue }
            guard device.contains(other) else {
                throw SystemError(
                    "set linux.resources.devices", code: .notSupported,
                    advice: "cgroup v1 cannot deny \(device.kind.rawValue) \(Self.number(device.major)):"
                        + "\(Self.number(device.minor)) out of a wider rule: allow the others one by one.")
            }
            exceptions[at].1.subtract(access)
        }
        exceptions.removeAll { $0.1.isEmpty }
    }
}

extension DeviceLists.Exception {
    func meets(_ other: Self) -> Bool {
        kind == other.kind && (major == nil || other.major == nil || major == other.major)
            && (minor == nil || other.minor == nil || minor == other.minor)
    }

    func contains(_ other: Self) -> Bool {
        kind == other.kind && (major == nil || major == other.major) && (minor == nil || minor == other.minor)
    }
}

extension DeviceRule.Access {
    var letters: String {
        (contains(.read) ? "r" : "") + (contains(.write) ? "w" : "") + (contains(.makeNode) ? "m" : "")
    }
}
