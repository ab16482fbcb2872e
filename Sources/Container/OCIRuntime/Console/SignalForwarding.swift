import Linux
import Spawn

/// Attends a program that runs in the foreground: passes signals on, carries its terminal, and learns how it ends.
struct SignalForwarding: ~Copyable {
    private let signals: SignalFD

    /// SIGURG, which nobody sends on purpose.
    private static let urgentData: Int32 = 23
    /// Those that stay ours: SIGCHLD tells of the end, which the pidfd does, too.
    private static let forwarded = (Int32(1)...31).filter {
        ![Signal.kill, Signal.stop, Signal.child, Signal.pipe, urgentData].contains($0)
    }

    /// Blocks the signals, so that none is lost from here on.
    init() throws(RuntimeFailure) {
        signals = try attempt { () throws(SystemError) in
            try SignalFD.block(Self.forwarded)
            return try SignalFD(Self.forwarded)
        }
    }

    /// Returns when the program has ended.
    ///
    /// - Parameter readiness: where the program says that it is ready.
    func attend(
        _ launch: SteeredLaunch, terminal: SharedFD?, _ readiness: ReadinessRelay? = nil
    ) throws(RuntimeFailure) -> ExitStatus {
        do {
            return try wait(launch, terminal, readiness)
        } catch let error as RuntimeFailure { throw error } catch let error as SystemError {
            throw RuntimeFailure(error)
        } catch { preconditionFailure("\(error)") }
    }

    private func wait(
        _ launch: SteeredLaunch, _ terminal: SharedFD?, _ readiness: ReadinessRelay?
    ) throws -> ExitStatus {
        var readiness = readiness
        var relay: TerminalRelay?
        if let terminal { relay = try TerminalRelay(terminal) }
        defer { relay = nil }
        while true {
            var watched = [launch.pidfd.raw, signals.fd.raw]
            if let relay { watched += relay.readers }
            if let readiness { watched.append(readiness.descriptor) }
            _ = try Descriptors.areAnyReady(
                toRead: watched, toWrite: relay?.writers ?? [], withinMilliseconds: relay?.patience ?? -1)
            relay?.move()
            if try readiness?.move() == true { readiness = nil }
            while let number = try signals.next() {
                if number == Signal.windowChange, let relay {
                    relay.resize()
                } else {
                    try? ProcessFD.signal(number, to: launch.pidfd.raw)
                }
            }
            guard let record = try ProcessFD.reapIfEnded(launch.pidfd.raw) else { continue }
            relay?.drain()
            // What it said right before its end.
            _ = try readiness?.move()
            return record.status
        }
    }
}
