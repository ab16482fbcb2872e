import Linux
import Sandbox

// What runs: its end, signals, freezing, figures.

extension Keeper {
    func running(_ name: String) throws(KeeperFailure) -> Supervised {
        guard let program = programs[name] else { throw KeeperFailure(.notFound, "nothing runs under the name \(name)") }
        guard program.end == nil, program.pidfd != nil else {
            throw KeeperFailure(.conflict, "\(name) has ended")
        }
        return program
    }

    /// The first process of a program has ended.
    func ended(_ program: Supervised) {
        guard let pidfd = program.pidfd else { return }
        let record: ExitRecord?
        do { record = try ExitRecord.reap(pidfd: pidfd.raw, block: false) } catch { record = nil }
        guard let record else { return }
        if let watch = program.watch { loop.remove(watch) }
        program.watch = nil
        program.pidfd = nil
        // With a pid namespace the kernel has ended everything by now; without, what the program left behind ends here.
        if program.parent == nil, !program.hasPidNamespace, let cgroup = program.cgroup {
            killAll(of: program, cgroup)
        }
        let endedAt = Clock.now()
        guard let streams = program.streams else { return report(program, record, endedAt) }
        streams.drain { [unowned self] in report(program, record, endedAt) }
    }

    private func report(_ program: Supervised, _ record: ExitRecord, _ endedAt: Timestamp) {
        var counted: CgroupUsage?
        if program.parent == nil, let cgroup = program.cgroup { counted = try? hierarchy?.finalUsage(of: cgroup) }
        let usage = counted?.since(program.baseline)
        let end = EndReport(
            status: record.status, usage: record.usage, endedAt: endedAt, cgroup: usage,
            outOfMemory: (usage?.outOfMemoryKills ?? 0) > 0, lostLogBytes: program.streams?.lostBytes ?? 0)
        program.end = end
        release(&program.room)
        program.streams = nil
        announce(.ended(sandbox: program.name, end))
        // The caller has its answer; clearing up comes after.
        if program.parent == nil { loop.afterThis { [self] in giveBack(program, counted) } }
    }

    func acknowledge(_ name: String) throws(KeeperFailure) {
        guard let program = programs[name] else { throw KeeperFailure(.notFound, "nothing is known under the name \(name)") }
        guard program.end != nil else { throw KeeperFailure(.conflict, "\(name) runs: there is no end to acknowledge") }
        programs[name] = nil
    }

    // Signals.

    func signal(_ name: String, _ number: Int32, wholeTree: Bool) throws(KeeperFailure) {
        let program = try running(name)
        guard (0...64).contains(number) else { throw KeeperFailure(.badRequest, "no signal has the number \(number)") }
        do {
            guard wholeTree, program.parent == nil, let cgroup = program.cgroup, let hierarchy else {
                if let pidfd = program.pidfd { try ProcessFD.signal(number, to: pidfd.raw) }
                return
            }
            if number == Signal.kill {
                program.cgroupWasKilled = true
                return try hierarchy.killAll(of: cgroup)
            }
            for pid in try hierarchy.processes(of: cgroup) {
                // One that ended since it was listed does not keep the signal from the others.
                do { try ProcessFD(pid: pid).signal(number) } catch where error.code == .noProcess { continue }
            }
        } catch where error.code == .noProcess {
            return
        } catch {
            throw KeeperFailure(error)
        }
    }

    /// Ends a program and everything it started.
    func kill(_ program: Supervised) {
        if program.parent == nil, let cgroup = program.cgroup { killAll(of: program, cgroup) }
        if let pidfd = program.pidfd { try? ProcessFD.signal(Signal.kill, to: pidfd.raw) }
    }

    private func killAll(of program: Supervised, _ cgroup: Cgroup) {
        program.cgroupWasKilled = true
        try? hierarchy?.killAll(of: cgroup)
    }

    func setFrozen(_ frozen: Bool, _ name: String) throws(KeeperFailure) {
        let program = try running(name)
        guard program.parent == nil, let cgroup = program.cgroup, let hierarchy else {
            throw KeeperFailure(.badRequest, "freeze \(name): it has no cgroup of its own")
        }
        do {
            if frozen {
                try hierarchy.freeze(cgroup)
            } else if program.holds == 0 {
                try hierarchy.thaw(cgroup)
            }
        } catch {
            throw KeeperFailure(error)
        }
        program.isFrozen = frozen
    }

    /// Changes what a sandbox may use while it runs.
    func limit(_ name: String, to limits: CgroupLimits) throws(KeeperFailure) {
        let program = try running(name)
        guard program.parent == nil, let cgroup = program.cgroup, let hierarchy else {
            throw KeeperFailure(.badRequest, "limit \(name): it has no cgroup of its own")
        }
        let lacking = limits.controllers.subtracting(cgroup.controllers)
        guard lacking.isEmpty else {
            throw KeeperFailure(
                .badRequest,
                "limit \(name): it was started without \(lacking), which cannot be added while it runs. Start it anew with this limit.")
        }
        do { try limits.validate(machine: .ofThisMachine()) } catch {
            throw KeeperFailure(.badRequest, "\(error)", code: error.code.rawValue)
        }
        let old = program.changedLimits ?? program.plan.limits
        do { try hierarchy.setLimits(limits, of: cgroup, replacing: old) } catch {
            // Some may be set: the old ones are put back, and the cgroup is nobody else's.
            program.changedLimits = old
            try? hierarchy.setLimits(old, of: cgroup, replacing: limits)
            throw KeeperFailure(error)
        }
        program.changedLimits = limits
    }

    // Streams and figures.

    func resize(_ name: String, _ size: Terminal.Size) throws(KeeperFailure) {
        guard let streams = try running(name).streams else {
            throw KeeperFailure(.badRequest, "resize \(name): it has no terminal of the keeper's")
        }
        do { try streams.resize(size) } catch { throw KeeperFailure(error) }
    }

    func attach(to name: String) throws(KeeperFailure) -> [SharedFD] {
        guard let streams = try running(name).streams else {
            throw KeeperFailure(.badRequest, "attach to \(name): its streams are connected to its starter, not to the keeper")
        }
        do { return try streams.attach() } catch { throw KeeperFailure(error) }
    }

    func usage(of name: String) throws(KeeperFailure) -> CgroupUsage {
        let program = try running(name)
        guard let cgroup = program.cgroup, let hierarchy else {
            throw KeeperFailure(.badRequest, "measure \(name): this machine has no cgroups that could be used")
        }
        do { return try hierarchy.usage(of: cgroup).since(program.baseline) } catch { throw KeeperFailure(error) }
    }
}
