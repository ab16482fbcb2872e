internal import Engine
internal import Lambda
internal import Linux
internal import Spawn
internal import Synchronization

/// The zygotes of a node, each shared by all states of a function that initialise alike: changing a description or a
/// time-out does not import everything anew.
///
/// Invariants (with their tests in ZygoteTests)
/// 1. A zygote ends a while after the last state of the function that uses it was forgotten, and with its last instance.
///    (`a change that does not matter to the imports keeps the zygote`)
/// 2. None outlives the launcher. (`zygotes end with the launcher, and what they have ready`)
package final class ZygoteShelf: Sendable {
    private struct Entry {
        var worker: ZygoteWorker
        var users: Set<String>
        /// Counts up with each user, so that a zygote that was taken up again is not ended.
        var generation = 0
    }

    private let ground: ZygoteGround
    private let patience: Duration
    private let entries = Mutex<[DeployedFunction: Entry]>([:])

    /// - Parameter patience: how long a zygote stays that no state of the function uses: until it has been changed.
    package convenience init(_ launcher: SandboxLauncher, patience: Duration = .seconds(60)) {
        self.init(ZygoteGround(launcher), patience: patience)
    }

    init(_ ground: ZygoteGround, patience: Duration = .seconds(60)) {
        self.ground = ground
        self.patience = patience
    }

    /// What starts a function's instances.
    func starter(_ function: DeployedFunction, _ recipe: InstanceRecipe, zygote call: ProgramCall) -> any InstanceStarting {
        let key = function.initialisation
        let worker = entries.withLock { entries in
            var entry = entries[key] ?? Entry(worker: ZygoteWorker(function, recipe, zygote: call, ground), users: [])
            entry.users.insert(function.revision)
            entry.generation += 1
            entries[key] = entry
            return entry.worker
        }
        return SharedZygote(worker: worker, shelf: self, key: key, user: function.revision)
    }

    /// Why instances of a function are started cold though it asks for a zygote; nil: they are not.
    func unfitReason(of function: DeployedFunction) -> String? {
        let worker = worker(of: function)
        return worker?.unfitReason.withLock { $0 }
    }

    /// Ends all zygotes, and with them everything beneath.
    func close() async {
        let workers = entries.withLock { entries in
            defer { entries = [:] }
            return entries.values.map(\.worker)
        }
        for worker in workers { await worker.close() }
    }

    /// For tests: the zygote of a function.
    func worker(of function: DeployedFunction) -> ZygoteWorker? { entries.withLock { $0[function.initialisation]?.worker } }

    fileprivate func left(_ key: DeployedFunction, _ user: String) async {
        let generation = entries.withLock { entries -> Int? in
            entries[key]?.users.remove(user)
            return entries[key]?.users.isEmpty == true ? entries[key]?.generation : nil
        }
        guard let generation else { return }
        if patience > .zero {
            Task {
                do { try await Task.sleep(for: patience) } catch { return }
                await self.end(key, generation)
            }
        } else {
            await end(key, generation)
        }
    }

    private func end(_ key: DeployedFunction, _ generation: Int) async {
        let worker = entries.withLock { entries -> ZygoteWorker? in
            guard let entry = entries[key], entry.users.isEmpty, entry.generation == generation else { return nil }
            entries[key] = nil
            return entry.worker
        }
        await worker?.forget()
    }
}

/// A zygote as one state of a function uses it.
private struct SharedZygote: InstanceStarting {
    let worker: ZygoteWorker
    let shelf: ZygoteShelf
    let key: DeployedFunction
    let user: String

    func place(for instance: String) async -> InstanceNetwork? { await worker.place(for: instance) }

    func start(
        _ instance: String, environment: StringBlock, descriptors: [CInt], ended: @escaping FunctionSandboxes.Ended
    ) async throws(NodeFailure) -> StartedSandbox {
        try await worker.start(instance, environment: environment, descriptors: descriptors, ended: ended)
    }

    func kill(_ instance: String) async { await worker.kill(instance) }
    func terminate(_ instance: String) async { await worker.terminate(instance) }
    func forget() async { await shelf.left(key, user) }
}

extension DeployedFunction {
    /// What of it decides how it initialises: the rest is made equal.
    fileprivate var initialisation: DeployedFunction {
        var function = self
        function.revision = ""
        function.timeoutSeconds = 0
        function.settings = FunctionSettings()
        return function
    }
}
