/// The rungs that a program can be put on, from what it stands on today upwards.
package enum PlannedRung: String, CaseIterable, Sendable, Comparable {
    /// Started by its caller as before, through the spawn library instead of fork.
    case process
    /// A container for each call.
    case container
    /// A container that stays, called over a socket.
    case service
    /// A function whose next process already waits in its first read.
    case standby
    /// A function that asks the Runtime API for one event after the other: its code gets a handler.
    case runtime

    package var title: String {
        switch self {
        case .process: "process"
        case .container: "container"
        case .service: "service"
        case .standby: "function, standby"
        case .runtime: "function, Runtime API"
        }
    }

    package static func < (one: PlannedRung, other: PlannedRung) -> Bool {
        allCases.firstIndex(of: one)! < allCases.firstIndex(of: other)!
    }
}
