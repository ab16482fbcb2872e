import Comparison
import Deploying
import Lambda
import Linux
import Synchronization

// Instances that wait. The Lambda API does not tell of them: they are found on this machine by their environment.
extension LambdaRung {
    func idleBytes() async -> Reading<Int> {
        await InstanceProcesses.idleBytes(of: waitingInstances, none: Self.noneFound)
    }

    /// A function of its own with so many provisioned instances: from none.
    func hold(_ count: Int) async throws(ComparisonError) -> any HeldInstances {
        guard form != .zygote else { throw ComparisonError("an instance is forked for its call and ends with it") }
        guard form != .cold else { throw ComparisonError(Self.nothingWaits) }
        let held = Provisioned(rung: self, name: "\(name)-held-\(nextNumber())")
        do throws(ComparisonError) {
            try await deploy(held.name, program, arguments, memoryMB: heldMegabytes)
            try await publish(held.name, count)
            return held
        } catch {
            await Task { await held.release() }.value
            throw error
        }
    }

    /// The memory size of those that are held: twice what a call took, so that it does not run out of it, and no more, so that
    /// as many fit as there can be.
    private var heldMegabytes: Int { min(max(largestPeak.withLock { $0 } * 2, 128), Self.memoryMB) }

    private struct Provisioned: HeldInstances {
        var rung: LambdaRung
        var name: String
        var method: String { MemoryOfProcess.method }
        func memoryBytes() async -> Reading<Int> {
            MemoryOfProcess.proportional(FunctionProcesses.ofInstances(of: name, version: "1"))
        }
        func killOne() async throws(ComparisonError) -> Int {
            try InstanceProcesses.killFirst(
                of: FunctionProcesses.ofInstances(of: name, version: "1"), none: LambdaRung.noneFound)
        }
        func release() async { _ = try? await rung.ask(LambdaRequest("DELETE", LambdaPaths.function(name))) }
    }

    func killInstance() async throws(ComparisonError) -> Int {
        try InstanceProcesses.killFirst(of: try await waitingInstances(), none: Self.noneFound)
    }

    private static let nothingWaits = "nothing is kept ready"
    private static let noneFound = "no instance that waits was found among the processes that may be looked at"

    /// Those that take the next calls.
    private func waitingInstances() async throws(ComparisonError) -> [Int32] {
        guard form != .cold else { throw ComparisonError(Self.nothingWaits) }
        return try await InstanceProcesses.waiting(
            among: {
                form == .zygote
                    ? FunctionProcesses.ofForks(of: name) : FunctionProcesses.ofInstances(of: name, version: "1")
            }, none: Self.noneFound)
    }
}
