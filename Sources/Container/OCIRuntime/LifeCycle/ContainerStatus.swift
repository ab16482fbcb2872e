/// Where a container is in its life (runtime.md, "Lifecycle"), and what may be done there. Pure.
///
///     creating -> created -> running <-> paused
///                    \______________\______ -> stopped
///
/// Invariants (tests in LifeCycleTests):
/// 1. What is not allowed is refused with runc's words, which managers look for.
/// 2. The status is derived from what is there now, never remembered: a container that was killed is stopped.
package enum ContainerStatus: String, Sendable, CaseIterable {
    case creating, created, running, paused, stopped

    /// What a status is derived from.
    package struct Evidence: Hashable, Sendable {
        /// The record is there: its process has been made.
        package var isRecorded: Bool
        package var isAlive: Bool
        /// Its root and its hooks are not through: its process has nothing of the container around it yet.
        package var isBeingMade: Bool
        /// It waits for its start.
        package var awaitsStart: Bool
        package var isFrozen: Bool

        package init(isRecorded: Bool, isAlive: Bool, isBeingMade: Bool, awaitsStart: Bool, isFrozen: Bool) {
            self.isRecorded = isRecorded
            self.isAlive = isAlive
            self.isBeingMade = isBeingMade
            self.awaitsStart = awaitsStart
            self.isFrozen = isFrozen
        }
    }

    package init(_ evidence: Evidence) {
        if !evidence.isRecorded {
            self = .creating
        } else if !evidence.isAlive {
            self = .stopped
        } else if evidence.isBeingMade {
            self = .creating
        } else if evidence.isFrozen {
            self = .paused
        } else {
            self = evidence.awaitsStart ? .created : .running
        }
    }

    /// What a verb does to a container.
    package enum Action: String, Sendable, CaseIterable { case start, kill, exec, pause, resume, update, delete, look }

    /// Why an action is refused; nil: it is allowed.
    package func refusal(of action: Action, id: String) -> String? {
        switch (action, self) {
        case (.look, _): nil
        case (.start, .created): nil
        case (.start, .stopped): "cannot start a container that has stopped"
        case (.start, .running): "cannot start an already running container"
        case (.start, _): "cannot start a container in the \(rawValue) state"
        case (.kill, .stopped): "container not running"
        case (.kill, .creating): "cannot kill a container in the creating state: `delete --force` takes it away"
        case (.kill, _): nil
        case (.exec, .running), (.exec, .created): nil
        case (.exec, .paused): "cannot exec in a paused container (use --ignore-paused to override)"
        case (.exec, .stopped): "cannot exec in a stopped container"
        case (.exec, .creating): "cannot exec in a container in the creating state"
        case (.pause, .running), (.pause, .created): nil
        case (.pause, .paused): "container already paused"
        case (.pause, _): "container not running: \(rawValue)"
        case (.resume, .paused): nil
        case (.resume, _): "container not paused"
        case (.update, .stopped), (.update, .creating): "container not running: \(rawValue)"
        case (.update, _): nil
        case (.delete, .stopped): nil
        case (.delete, _): "cannot delete container \(id) that is not stopped: \(rawValue)"
        }
    }
}
