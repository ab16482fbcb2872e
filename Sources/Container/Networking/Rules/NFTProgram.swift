import Linux
import Spawn
import Synchronization

/// The `nft` program, nft(8): gives rules to the kernel in one transaction, in a network namespace.
package final class NFTProgram: Sendable {
    private let machine: MachineNetwork
    private let keepsOneReady: Bool
    /// Started already, and waiting for its text.
    private let ready = Mutex<RunningProgram?>(nil)

    /// - Parameter keepsOneReady: whether the next one is started beforehand: most of its time goes into its start. It waits
    ///   in a read of a pipe, and ends with this process at the latest.
    package init(machine: MachineNetwork, keepsOneReady: Bool = false) {
        self.machine = machine
        self.keepsOneReady = keepsOneReady
    }

    /// Applies a text as a whole or not at all.
    package func run(_ text: String) async throws(NetworkFailure) {
        let waiting = ready.withLock { ready -> RunningProgram? in
            defer { ready = nil }
            return ready
        }
        do throws(NetworkFailure) {
            if let waiting {
                try await finish(waiting, text, isWaiting: true)
            } else {
                try await finish(start(.bytes(Array(text.utf8))), text, isWaiting: false)
            }
        } catch {
            await prepare()
            throw error
        }
        await prepare()
    }

    /// Ends the one that waits.
    package func end() async {
        let waiting = ready.withLock { ready -> RunningProgram? in
            defer { ready = nil }
            return ready
        }
        guard let waiting else { return }
        try? await waiting.standardInput?.finish()
        _ = try? await waiting.wait()
    }

    private func prepare() async {
        guard keepsOneReady, let next = try? await start(.pipe) else { return }
        let surplus = ready.withLock { ready -> RunningProgram? in
            guard ready == nil else { return next }
            ready = next
            return nil
        }
        try? await surplus?.standardInput?.finish()
    }

    private func start(_ input: Input) async throws(NetworkFailure) -> RunningProgram {
        do {
            var options = Options()
            options.environment = .exactly(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
            options.group = .ownSession
            options.standardOutput = .null
            let template = try Template(.name("nft"), arguments: ["-f", "-"], options: options)
            return try await machine.run { () throws(SystemError) in
                Result { () throws(SpawnError) in try template.start(input: input, output: .null, error: .pipe) }
            }.get()
        } catch let error as SpawnError where error.code == .noEntry {
            throw NetworkFailure(.system, "networks need the nft program: install nftables (\(error))")
        } catch {
            throw NetworkFailure(.system, "run nft: \(error)")
        }
    }

    private func finish(
        _ program: RunningProgram, _ text: String, isWaiting: Bool
    ) async throws(NetworkFailure) {
        do {
            if isWaiting, let input = program.standardInput {
                try await input.write(text)
                try await input.finish()
            }
            var errors: [UInt8] = []
            if let stream = program.standardError {
                for try await chunk in stream where errors.count < 4096 { errors += chunk }
            }
            let exit = try await program.wait()
            guard exit.status == .exited(0) else {
                let said = String(decoding: errors.prefix(2000), as: UTF8.self)
                throw NetworkFailure(.system, "nft refused the rules (\(exit.status)): \(said)")
            }
        } catch let failure as NetworkFailure {
            throw failure
        } catch {
            throw NetworkFailure(.system, "run nft: \(error)")
        }
    }
}
