import OCI

/// The rules for devices as a program for v2 (BPF_PROG_TYPE_CGROUP_DEVICE): the kernel runs it at every opening and
/// making of a device node in the cgroup, and refuses when it returns 0.
///
/// It walks the rules from the last to the first and strikes out what is allowed of the access wanted, until nothing is
/// left (1) or something is denied (0). The machine has registers of 64 bits (Documentation/bpf of Linux,
/// instruction-set.rst); at the start r1 points to struct bpf_cgroup_dev_ctx.
///
/// Invariant: it decides as `DeviceRules.allows`. (`the program decides as the rules`, and in the kernel
/// `a program in the cgroup opens what is allowed and nothing else`)
package struct DeviceProgram: Hashable, Sendable {
    /// struct bpf_insn.
    package struct Instruction: Hashable, Sendable {
        package var code: UInt8
        package var destination: UInt8
        package var source: UInt8
        package var offset: Int16
        package var operand: Int32
    }

    package private(set) var instructions: [Instruction] = []

    package init(_ rules: DeviceRules) {
        // r2: kind, r3: access left, r4: major, r5: minor. The first word holds the kind below and the access above.
        add(Self.load, 2, source: 1, offset: 0)
        add(Self.copy, 3, source: 2)
        add(Self.and, 2, operand: 0xFFFF)
        add(Self.shiftRight, 3, operand: 16)
        add(Self.load, 4, source: 1, offset: 4)
        add(Self.load, 5, source: 1, offset: 8)
        for rule in rules.rules.reversed() where !rule.access.isEmpty { add(rule) }
        leave(0)
    }

    private mutating func add(_ rule: DeviceRule) {
        var body: [Instruction] = []
        let access = Int32(rule.access.bits)
        if rule.isAllowed {
            body.append(Instruction(code: Self.and, destination: 3, source: 0, offset: 0, operand: ~access))
            body.append(Instruction(code: Self.jumpUnequal, destination: 3, source: 0, offset: 2, operand: 0))
            body += Self.leaving(1)
        } else {
            body.append(Instruction(code: Self.jumpAnyBit, destination: 3, source: 0, offset: 1, operand: access))
            body.append(Instruction(code: Self.jump, destination: 0, source: 0, offset: 2, operand: 0))
            body += Self.leaving(0)
        }
        var tests: [(UInt8, Int32)] = []
        switch rule.kind {
        case .all: break
        case .block: tests.append((2, 1))
        case .character: tests.append((2, 2))
        }
        if let major = rule.major { tests.append((4, Int32(bitPattern: major))) }
        if let minor = rule.minor { tests.append((5, Int32(bitPattern: minor))) }
        for (at, (register, value)) in tests.enumerated() {
            let past = tests.count - at - 1 + body.count
            add(Self.jumpUnequal, register, offset: Int16(past), operand: value)
        }
        instructions += body
    }

    private mutating func add(
        _ code: UInt8, _ destination: UInt8, source: UInt8 = 0, offset: Int16 = 0, operand: Int32 = 0
    ) {
        instructions.append(
            Instruction(code: code, destination: destination, source: source, offset: offset, operand: operand))
    }

    private mutating func leave(_ verdict: Int32) { instructions += Self.leaving(verdict) }

    private static func leaving(_ verdict: Int32) -> [Instruction] {
        [
            Instruction(code: set, destination: 0, source: 0, offset: 0, operand: verdict),
            Instruction(code: exit, destination: 0, source: 0, offset: 0, operand: 0),
        ]
    }

    /// As an array of struct bpf_insn, in this machine's byte order.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(instructions.count * 8)
        for instruction in instructions {
            bytes.append(instruction.code)
            bytes.append(instruction.source << 4 | instruction.destination)
            withUnsafeBytes(of: instruction.offset) { bytes += $0 }
            withUnsafeBytes(of: instruction.operand) { bytes += $0 }
        }
        return bytes
    }

    // The operations of linux/bpf.h that it consists of.
    static let load: UInt8 = 0x61  // BPF_LDX | BPF_MEM | BPF_W
    static let copy: UInt8 = 0xBF  // BPF_ALU64 | BPF_MOV | BPF_X
    static let set: UInt8 = 0xB7  // BPF_ALU64 | BPF_MOV | BPF_K
    static let and: UInt8 = 0x57  // BPF_ALU64 | BPF_AND | BPF_K
    static let shiftRight: UInt8 = 0x77  // BPF_ALU64 | BPF_RSH | BPF_K
    static let jump: UInt8 = 0x05  // BPF_JMP | BPF_JA
    static let jumpAnyBit: UInt8 = 0x45  // BPF_JMP | BPF_JSET | BPF_K
    static let jumpUnequal: UInt8 = 0x55  // BPF_JMP | BPF_JNE | BPF_K
    static let exit: UInt8 = 0x95  // BPF_JMP | BPF_EXIT
}

extension DeviceRule.Access {
    /// BPF_DEVCG_ACC_*.
    var bits: UInt32 {
        (contains(.makeNode) ? 1 : 0) | (contains(.read) ? 2 : 0) | (contains(.write) ? 4 : 0)
    }
}
