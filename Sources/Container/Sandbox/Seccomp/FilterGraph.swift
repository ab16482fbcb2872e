/// A filter as decisions that lead to verdicts, before it is laid out as instructions.
///
/// Equal nodes are one node, so alternatives that end alike share their tails.
///
/// Invariants
/// 1. A node's successors have smaller numbers than the node: the graph has no cycle, and ascending order is an order
///    in which successors come first.
/// 2. No decision has two equal outcomes.
struct FilterGraph {
    typealias Node = Int

    /// A 32-bit word of struct seccomp_data, and which of its bits count.
    struct Word: Hashable {
        var offset: UInt32
        var mask: UInt32 = .max

        static let number = Word(offset: 0)
        static let architecture = Word(offset: 4)

        /// The lower half of an argument. Both ABIs are little-endian.
        static func low(_ argument: Int, mask: UInt32 = .max) -> Word {
            Word(offset: 16 + 8 * UInt32(argument), mask: mask)
        }

        /// The upper half of an argument.
        static func high(_ argument: Int, mask: UInt32 = .max) -> Word {
            Word(offset: 20 + 8 * UInt32(argument), mask: mask)
        }
    }

    /// How a word is compared, unsigned, with a constant.
    enum Comparison: Hashable { case equal, greater, greaterOrEqual, anyBit }

    struct Decision: Hashable {
        var word: Word
        var comparison: Comparison
        var operand: UInt32
        var yes: Node
        var no: Node
    }

    enum Content: Hashable {
        case verdict(UInt32)
        case decision(Decision)
    }

    private(set) var contents: [Content] = []
    private var known: [Content: Node] = [:]

    /// The end that returns this value to the kernel.
    mutating func verdict(_ action: SeccompAction) -> Node { node(.verdict(action.returnValue)) }

    /// Goes to `yes` when the comparison holds, else to `no`.
    mutating func decide(
        _ word: Word, _ comparison: Comparison, _ operand: UInt32, yes: Node, no: Node
    ) -> Node {
        if yes == no { return yes }
        switch comparison {
        case .greaterOrEqual where operand == 0: return yes
        case .greater where operand == .max: return no
        case .anyBit where operand == 0: return no
        default:
            return node(
                .decision(Decision(word: word, comparison: comparison, operand: operand, yes: yes, no: no)))
        }
    }

    private mutating func node(_ content: Content) -> Node {
        if let node = known[content] { return node }
        contents.append(content)
        known[content] = contents.count - 1
        return contents.count - 1
    }
}

// Conditions on 64-bit arguments, taken apart into comparisons of their halves.
extension FilterGraph {
    /// Goes to `yes` when the condition holds, else to `no`.
    mutating func check(_ condition: ArgumentCondition, yes: Node, no: Node) -> Node {
        let index = condition.index
        switch condition.comparison {
        case .equal(let value): return checkEqual(index, .max, value, yes: yes, no: no)
        case .notEqual(let value): return checkEqual(index, .max, value, yes: no, no: yes)
        case .maskedEqual(let mask, let value): return checkEqual(index, mask, value, yes: yes, no: no)
        case .maskedNotEqual(let mask, let value): return checkEqual(index, mask, value, yes: no, no: yes)
        case .greater(let value): return checkOrder(index, .greater, value, yes: yes, no: no)
        case .greaterOrEqual(let value): return checkOrder(index, .greaterOrEqual, value, yes: yes, no: no)
        case .less(let value): return checkOrder(index, .greaterOrEqual, value, yes: no, no: yes)
        case .lessOrEqual(let value): return checkOrder(index, .greater, value, yes: no, no: yes)
        }
    }

    private mutating func checkEqual(
        _ index: Int, _ mask: UInt64, _ value: UInt64, yes: Node, no: Node
    ) -> Node {
        guard value & ~mask == 0 else { return no }
        let (maskHigh, maskLow) = halves(mask)
        let (high, low) = halves(value)
        let lowChecked = checkBits(.low(index), maskLow, low, yes: yes, no: no)
        return checkBits(.high(index), maskHigh, high, yes: lowChecked, no: no)
    }

    private mutating func checkBits(
        _ word: Word, _ mask: UInt32, _ value: UInt32, yes: Node, no: Node
    ) -> Node {
        if mask == 0 { return yes }
        // "None of these bits" is one instruction; any other value under a mask takes two.
        if value == 0 && mask != .max { return decide(word, .anyBit, mask, yes: no, no: yes) }
        return decide(Word(offset: word.offset, mask: mask), .equal, value, yes: yes, no: no)
    }

    private mutating func checkOrder(
        _ index: Int, _ comparison: Comparison, _ value: UInt64, yes: Node, no: Node
    ) -> Node {
        let (high, low) = halves(value)
        let lowChecked = decide(.low(index), comparison, low, yes: yes, no: no)
        // The upper halves decide unless they are equal.
        let below = high == 0 ? yes : decide(.high(index), .greater, high, yes: yes, no: no)
        return decide(.high(index), .equal, high, yes: lowChecked, no: below)
    }

    private func halves(_ value: UInt64) -> (high: UInt32, low: UInt32) {
        (UInt32(truncatingIfNeeded: value >> 32), UInt32(truncatingIfNeeded: value))
    }
}
