import Linux
import Spawn

/// The `nft` program, nft(8): gives rules to the kernel in one transaction, in a network namespace.
package struct NFTProgram: Sendable {
    private let machine: MachineNetwork

    package init(machine: MachineNetwork) { self.machine = machine }

    /// Applies a text as a whole or not at all.
    package func run(_ text: String) async throws(NetworkFailure) { try await finish(start(.bytes(Array(text.utf8)))) }

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

    private func finish(_ program: RunningProgram) async throws(NetworkFailure) {
        do {
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
