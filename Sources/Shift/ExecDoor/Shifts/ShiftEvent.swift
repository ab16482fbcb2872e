/// A call that has ended, as far as a shift's state is concerned.
package struct EndedCall: Hashable, Sendable {
    package var way: CallRecord.Way
    /// Why the original answered although the target was to.
    package var detour: String?
    /// What answered; nil where nothing was recorded.
    package var answer: RunMeasure?
    /// The target's side of a shadowed call.
    package var shadow: RunMeasure?
    /// Whether the shadow was the original itself.
    package var isControl: Bool

    package init(
        way: CallRecord.Way, detour: String? = nil, answer: RunMeasure? = nil, shadow: RunMeasure? = nil,
        isControl: Bool = false
    ) {
        self.way = way
        self.detour = detour
        self.answer = answer
        self.shadow = shadow
        self.isControl = isControl
    }
}

/// What happens to a shift.
package enum ShiftEvent: Hashable, Sendable {
    case ended(EndedCall)
    /// Both sides of a call were compared; `call` says which one, for people.
    case compared(ComparisonResult, isControl: Bool, call: String)
    case asked(ShiftVerb)
    /// The file at the program's path is another one than before: an upgrade.
    case replaced(ProgramIdentity)
    /// Somebody has taken the shim away.
    case unmounted
    /// The shim could not be mounted: why.
    case unmountable(String)
}

/// What a person asks of a shift that is there.
package enum ShiftVerb: Hashable, Sendable {
    /// The original answers until `resume`; with `unmounts` even without the shim.
    case pause(unmounts: Bool)
    case resume
    case rollback
    /// Goes on as another specification has it.
    case change(ShiftSpec)
}

/// What is to be done, in this order.
package enum ShiftAction: Hashable, Sendable {
    /// Tells people: the node's log.
    case announce(String)
    /// Writes into the history.
    case record(ShiftHistoryKind, String)
    /// Puts the shim over the program, whatever is there now, and opens the original anew.
    case mount
    case unmount
}

/// What an entry of the history is about.
package enum ShiftHistoryKind: String, Hashable, Sendable, CaseIterable {
    case created, changed, promoted, paused, resumed, replaced, unmounted, difference, detour
    case rolledBack = "rolled-back"
}

/// Which file a program is: what changes when it is replaced.
package struct ProgramIdentity: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64
    package var size: Int
    /// Nanoseconds since 1970.
    package var modified: Int

    package init(device: UInt64, inode: UInt64, size: Int, modified: Int) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
    }
}
