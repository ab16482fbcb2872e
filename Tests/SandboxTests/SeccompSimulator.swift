@testable import Sandbox

/// What the kernel shows a filter of one call, struct seccomp_data of linux/seccomp.h.
struct CallData: Hashable {
    var number: UInt32
    var architecture = SystemCallABI.native.auditNumber
    var instructionPointer: UInt64 = 0
    var arguments: [UInt64] = [0, 0, 0, 0, 0, 0]

    init(_ number: UInt32, _ arguments: [UInt64] = [], architecture: UInt32 = SystemCallABI.native.auditNumber) {
        self.number = number
        self.architecture = architecture
        self.arguments = arguments + [UInt64](repeating: 0, count: 6 - arguments.count)
    }

    /// The 32-bit word at this offset.
    func word(at offset: UInt32) -> UInt32? {
        switch offset {
        case 0: number
        case 4: architecture
        case 8: UInt32(truncatingIfNeeded: instructionPointer)
        case 12: UInt32(truncatingIfNeeded: instructionPointer >> 32)
        case 16..<64 where offset % 4 == 0:
            UInt32(truncatingIfNeeded: arguments[Int(offset - 16) / 8] >> (offset % 8 == 0 ? 0 : 32))
        default: nil
        }
    }
}

/// A classic BPF machine that refuses whatever the kernel's checker (bpf_check_classic, seccomp_check_filter) would.
struct SeccompSimulator {
    struct Outcome: Hashable {
        var verdict: UInt32
        /// How many instructions were executed.
        var steps: Int
    }

    enum Fault: Error, Equatable { case badLoad(UInt32), badCode(UInt16), ranOffTheEnd, empty, notWhole }

    let instructions: [BPFInstruction]

    /// - Parameter bytes: an array of struct sock_filter.
    init(bytes: [UInt8]) throws(Fault) {
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count % 8 == 0 else { throw .notWhole }
        instructions = stride(from: 0, to: bytes.count, by: 8).map { at in
            bytes.withUnsafeBytes { raw in
                BPFInstruction(
                    raw.loadUnaligned(fromByteOffset: at, as: UInt16.self),
                    raw.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self),
                    jumpTrue: raw[at + 2], jumpFalse: raw[at + 3])
            }
        }
    }

    func verdict(_ call: CallData) throws(Fault) -> UInt32 { try run(call).verdict }

    func run(_ call: CallData) throws(Fault) -> Outcome {
        var accumulator: UInt32 = 0
        var at = 0
        for steps in 1...instructions.count {
            guard at < instructions.count else { throw .ranOffTheEnd }
            let step = instructions[at]
            at += 1
            let holds: Bool
            switch step.code {
            case 0x20:
                guard let word = call.word(at: step.operand) else { throw .badLoad(step.operand) }
                accumulator = word
                continue
            case 0x54:
                accumulator &= step.operand
                continue
            case 0x05:
                at += Int(step.operand)
                continue
            case 0x06: return Outcome(verdict: step.operand, steps: steps)
            case 0x15: holds = accumulator == step.operand
            case 0x25: holds = accumulator > step.operand
            case 0x35: holds = accumulator >= step.operand
            case 0x45: holds = accumulator & step.operand != 0
            default: throw .badCode(step.code)
            }
            at += Int(holds ? step.jumpTrue : step.jumpFalse)
        }
        throw .ranOffTheEnd
    }
}
