import Linux

/// core/v1.PodPhase
package enum PodPhase: String, Hashable, Sendable {
    case pending = "Pending"
    case running = "Running"
    case succeeded = "Succeeded"
    case failed = "Failed"

    package var isTerminal: Bool { self == .succeeded || self == .failed }
}

extension PodMachine {
    /// Where in its life it is, as the kubelet's getPhase has it. Terminal only when nothing of it runs any more.
    package var phase: PodPhase {
        let isQuiet = !containers.contains(where: \.isActive)
        if ending != nil, isQuiet, preparation != .asked { return lastPhase }
        let main = containers.filter { $0.plan.role == .main }
        // Waiting for its first run.
        if !hasInitialized || main.contains(where: { $0.run == nil && $0.ended == nil }) { return .pending }
        return .running
    }

    private var lastPhase: PodPhase {
        if case .failed = ending { return .failed }
        if containers.contains(where: { $0.plan.role == .initial && $0.ended != nil && !$0.hasSucceeded }) {
            return .failed
        }
        let main = containers.filter { $0.plan.role == .main }
        return main.allSatisfy { $0.ended?.exitCode == 0 } ? .succeeded : .failed
    }

    /// Whether all containers serve.
    var unreadyContainers: [String] {
        containers.filter { ($0.plan.role == .main || $0.plan.role == .sidecar) && !$0.isReady }.map(\.plan.name)
    }
}

extension PodMachine {
    /// Whether nothing is under way that changes the status in a moment.
    package var isSettled: Bool {
        if preparation == .asked { return false }
        return !containers.contains { life in if case .starting = life.stage { true } else { false } }
    }
}
