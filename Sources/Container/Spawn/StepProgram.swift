import CSpawn

/// A list of steps being written: what a child will do between `clone3` and `exec`.
package struct StepProgram: Hashable, Sendable {
    package private(set) var steps: [Step] = []
    /// What steps are for, where the step itself does not say it well enough for an error message.
    private(set) var meanings: [Int: String] = [:]
    /// The descriptors that slots hold at the start; -1 is empty.
    package private(set) var slots: [CInt] = []
    /// Namespaces to be made by the clone itself (CLONE_NEW*), beside what the steps make.
    package var cloneFlags: UInt64 = 0

    package init() {}

    /// A new slot, holding `fd` or, by default, nothing.
    package mutating func slot(_ fd: CInt = -1) -> Slot {
        slots.append(fd)
        return Slot(index: slots.count - 1)
    }

    /// - Parameter meaning: what an error message says was tried; nil: the step's own sentence.
    package mutating func add(_ step: Step, as meaning: String? = nil) {
        if let meaning { meanings[steps.count] = meaning }
        steps.append(step)
    }

    /// The program with other descriptors in some slots.
    package mutating func fill(_ slot: Slot, with fd: CInt) { slots[slot.index] = fd }
}

/// A step program in the form that the child runs: one flat array of records and one arena of bytes.
///
/// Compiled once, started many times, also at the same time: nothing in it changes.
package final class CompiledProgram: @unchecked Sendable {
    // Sendable by construction: the memory is written in init and only read afterwards.
    let source: StepProgram
    let records: UnsafeMutablePointer<cspawn_step>
    let arena: UnsafeMutablePointer<UInt8>

    package init(_ program: StepProgram) {
        source = program
        var encoder = StepEncoder()
        let encoded = program.steps.map { encoder.encode($0) }
        records = .allocate(capacity: max(encoded.count, 1))
        records.initialize(from: encoded, count: encoded.count)
        arena = .allocate(capacity: max(encoder.arena.count, 1))
        arena.initialize(from: encoder.arena, count: encoder.arena.count)
    }

    deinit {
        records.deallocate()
        arena.deallocate()
    }

    /// The step with this index, as a sentence.
    package func sentence(ofStep index: Int) -> String {
        source.meanings[index]
            ?? (source.steps.indices.contains(index) ? source.steps[index].sentence : "step \(index)")
    }
}
