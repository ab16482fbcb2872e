import Linux
import OCI
import TestKit
import Testing

@testable import RuntimeCgroups

@Suite struct DeviceRulesTests {
    private static let accesses: [DeviceRule.Access] = [
        .read, .write, .makeNode, [.read, .write], [.read, .makeNode], [.write, .makeNode], .all,
    ]

    @Test func `without rules there are the devices of every container and no others`() {
        let rules = DeviceRules([])
        #expect(rules.allows(.character, major: 1, minor: 3, .all))
        #expect(rules.allows(.character, major: 136, minor: 77, [.read, .write]))
        #expect(rules.allows(.block, major: 8, minor: 0, .makeNode))
        #expect(!rules.allows(.block, major: 8, minor: 0, .read))
        #expect(!rules.allows(.character, major: 1, minor: 11, .read))
        #expect(!rules.allows(.character, major: 10, minor: 229, [.read, .makeNode]))
    }

    @Test func `the last rule that fits decides for each kind of access`() {
        let rules = DeviceRules([
            DeviceRule(isAllowed: true, kind: .all),
            DeviceRule(isAllowed: false, kind: .block, major: 8, access: [.write]),
            DeviceRule(isAllowed: true, kind: .block, major: 8, minor: 1),
        ])
        #expect(
            rules.allows(.block, major: 8, minor: 0, .read)
                && !rules.allows(.block, major: 8, minor: 0, [.read, .write]))
        #expect(rules.allows(.block, major: 8, minor: 1, .all) && rules.allows(.character, major: 9, minor: 9, .all))
    }

    @Test(arguments: 0..<60)
    func `the program decides as the rules`(seed: UInt64) throws {
        var chance = SeededChance(seed: seed)
        let rules = DeviceRules((0..<Int.random(in: 0..<12, using: &chance)).map { _ in .random(using: &chance) })
        let machine = BPFMachine(DeviceProgram(rules))
        for kind in [DeviceRule.Kind.character, .block] {
            for major: UInt32 in [0, 1, 2, 5, 136, 4095] {
                for minor: UInt32 in [0, 1, 3, 5, 1_048_575] {
                    for access in Self.accesses {
                        #expect(
                            machine.allows(kind, major, minor, access)
                                == rules.allows(kind, major: major, minor: minor, access))
                    }
                }
            }
        }
    }

    @Test(arguments: 0..<200)
    func `v1's lists say the same as the rules, or are refused`(seed: UInt64) throws {
        var chance = SeededChance(seed: seed)
        let rules = DeviceRules((0..<Int.random(in: 0..<8, using: &chance)).map { _ in .random(using: &chance) })
        guard let lists = try? DeviceLists(rules) else { return }
        for kind in [DeviceRule.Kind.character, .block] {
            for major: UInt32 in [0, 1, 2, 5, 136] {
                for minor: UInt32 in [0, 1, 3, 5] {
                    // One kind of access at a time: v1 wants one exception that has all.
                    for access in [DeviceRule.Access.read, .write, .makeNode] {
                        let isExcepted = lists.exceptions.contains { device, have in
                            device.kind == kind && (device.major ?? major) == major && (device.minor ?? minor) == minor
                                && have.contains(access)
                        }
                        #expect(
                            (isExcepted != lists.allowsAll) == rules.allows(kind, major: major, minor: minor, access))
                    }
                }
            }
        }
    }

    @Test func `lists that v1 can and cannot keep`() throws {
        let deny = DeviceRule(isAllowed: false, kind: .all)
        let lists = try DeviceLists(
            DeviceRules([
                deny, DeviceRule(isAllowed: true, kind: .character, major: 10, minor: 229, access: [.read, .write]),
            ]))
        #expect(!lists.allowsAll)
        #expect(
            lists.lines.first == "c 10:229 rw" && lists.lines.contains("c *:* m") && lists.lines.contains("c 136:* rwm")
        )
        let open = try DeviceLists(
            DeviceRules([
                DeviceRule(isAllowed: true, kind: .all),
                DeviceRule(isAllowed: false, kind: .block, major: 8, access: [.write]),
            ]))
        #expect(open.allowsAll && open.lines == ["b 8:* w"])
        let error = #expect(throws: SystemError.self) {
            try DeviceLists(
                DeviceRules([
                    DeviceRule(isAllowed: true, kind: .block, major: 8),
                    DeviceRule(isAllowed: false, kind: .block, major: 8, minor: 1),
                ]))
        }
        #expect(error?.description.contains("b 8:1 out of a wider rule") == true)
    }
}

extension DeviceRule {
    fileprivate static func random(using chance: inout SeededChance) -> DeviceRule {
        let kind: Kind = [.all, .character, .block].randomElement(using: &chance)!
        let isWide = kind == .all && Bool.random(using: &chance)
        return DeviceRule(
            isAllowed: Bool.random(using: &chance), kind: kind,
            major: isWide ? nil : [nil, 1, 2, 5].randomElement(using: &chance)!,
            minor: isWide ? nil : [nil, 1, 3, 5].randomElement(using: &chance)!,
            access: isWide ? .all : Access(rawValue: .random(in: 1...7, using: &chance)))
    }
}

/// The part of the kernel's machine that device programs use; anything else traps the test.
private struct BPFMachine {
    let program: DeviceProgram

    init(_ program: DeviceProgram) { self.program = program }

    func allows(_ kind: DeviceRule.Kind, _ major: UInt32, _ minor: UInt32, _ access: DeviceRule.Access) -> Bool {
        let context: [UInt32] = [(kind == .block ? 1 : 2) | access.bits << 16, major, minor]
        var registers = [UInt64](repeating: 0, count: 11)
        var at = 0
        while true {
            let step = program.instructions[at]
            let operand = UInt64(bitPattern: Int64(step.operand))
            let to = Int(step.destination)
            at += 1
            switch step.code {
            case 0x61: registers[to] = UInt64(context[Int(step.offset) / 4])
            case 0xBF: registers[to] = registers[Int(step.source)]
            case 0xB7: registers[to] = operand
            case 0x57: registers[to] &= operand
            case 0x77: registers[to] >>= operand
            case 0x05: at += Int(step.offset)
            case 0x45: if registers[to] & operand != 0 { at += Int(step.offset) }
            case 0x55: if registers[to] != operand { at += Int(step.offset) }
            case 0x95: return registers[0] != 0
            default: preconditionFailure("instruction \(step)")
            }
        }
    }
}
