internal import HTTPServing
internal import Lambda

/// Starting instances, hearing of them, and dividing the memory among them.
extension FunctionPlane {
    func launch(_ id: InstanceID, isProvisioned: Bool, _ pool: PlanePool) {
        startsUnderWay += 1
        pool.starting.insert(id)
        pool.instances[id] = launcher.launch(pool.function, isProvisioned: isProvisioned, on: loop) { [self] event in
            heard(event, of: id, pool)
        }
    }

    private func heard(_ event: InstanceEvent, of id: InstanceID, _ pool: PlanePool) {
        let now = now()
        switch event {
        case .free:
            if fair.isEmpty, pool.machine.freeAtOnce(id, now: now) { return }
            handle(.instanceFreed(id, isReclaimed: mustYield(id, pool, now)), pool, now)
        case .ready:
            endStart(id, pool)
            handle(.instanceReady(id), pool, now)
        case .failed(let failure):
            endStart(id, pool)
            handle(.instanceFailed(id, failure), pool, now)
        case .ended(let how):
            guard pool.instances.removeValue(forKey: id) != nil else { return }
            endStart(id, pool)
            budget.give(pool.function.memoryMB, of: pool.function.name)
            hasLeft(id, pool)
            handle(.instanceEnded(id, how), pool, now)
        }
        serve(now)
    }

    /// An instance is told to stop: who needs memory waits for what it gives back.
    func willLeave(_ id: InstanceID, _ pool: PlanePool, _ now: Instant) {
        guard pool.leaving[id] == nil else { return }
        pool.leaving[id] = now
        budget.willGive(pool.function.memoryMB)
    }

    /// It has given its memory back, or is not waited for any more.
    private func hasLeft(_ id: InstanceID, _ pool: PlanePool) {
        if pool.leaving.removeValue(forKey: id) != nil { budget.hasGiven(pool.function.memoryMB) }
    }

    /// Does not wait any more for those that were told to stop too long ago; false when there are none.
    private func giveUpOnLeaving(_ now: Instant) -> Bool {
        let before = budget.leavingMB
        for pool in numbered.values {
            for (id, since) in pool.leaving where since + settings.endPatience <= now { hasLeft(id, pool) }
        }
        return budget.leavingMB < before
    }

    /// Looks again when the first of those that leave has had its time, as long as somebody waits for memory.
    private func waitForLeaving(_ now: Instant) {
        guard !isWaitingForLeaving, let since = numbered.values.compactMap({ $0.leaving.values.min() }).min() else { return }
        isWaitingForLeaving = true
        let bound = LoopBound(self, on: loop)
        loop.schedule(after: since + settings.endPatience - now) {
            bound.value.isWaitingForLeaving = false
            bound.value.serve(bound.value.now())
        }
    }

    private func endStart(_ id: InstanceID, _ pool: PlanePool) {
        if pool.starting.remove(id) != nil { startsUnderWay -= 1 }
    }

    private func mustYield(_ id: InstanceID, _ pool: PlanePool, _ now: Instant) -> Bool {
        !fair.isEmpty && pool.machine.roster[id]?.isProvisioned != true
            && fair.shouldYield(
                pool: pool.number, function: pool.function.name, memoryMB: pool.function.memoryMB, budget, now: now)
    }

    /// Keeps the fair queue in step with what a pool wants.
    func settleClaim(_ pool: PlanePool, _ now: Instant) {
        if !blockedPromises.isEmpty { blockedPromises.remove(pool.number) }
        guard pool.machine.appetite > 0 else {
            if !fair.isEmpty { fair.withdraw(pool.number) }
            return
        }
        if pool.machine.urgency == .promised, promisedMB + pool.function.memoryMB > promisedLimitMB {
            blockedPromises.insert(pool.number)
            return fair.withdraw(pool.number)
        }
        fair.claim(
            FairQueue.Claim(
                pool: pool.number, function: pool.function.name, needMB: pool.function.memoryMB,
                poolHeldMB: pool.machine.alive * pool.function.memoryMB, since: now, urgency: pool.machine.urgency))
    }

    private var promisedMB: Int {
        numbered.values.reduce(0) { $0 + $1.machine.roster.provisioned * $1.function.memoryMB }
    }

    var promisedLimitMB: Int { Int(Double(budget.totalMB) * settings.promisedShare) }

    /// Promises have become smaller: others may be kept now.
    func settleBlockedPromises(_ now: Instant) {
        for number in blockedPromises.sorted() {
            guard let pool = numbered[number] else { continue }
            settleClaim(pool, now)
            tellProvisioning(pool)
        }
    }

    /// Starts what may be started, and makes room for what may not yet.
    func serve(_ now: Instant) {
        while !fair.isEmpty, startsUnderWay < settings.startsAtOnce {
            switch fair.turn(budget, now: now) {
            case .nobody: return
            case .grant(let number):
                guard let pool = numbered[number] else { return fair.withdraw(number) }
                grant(pool, now)
            case .makeRoom(let claim, let missing):
                if giveUpOnLeaving(now) { continue }
                evict(missing, for: claim, now)
                return waitForLeaving(now)
            }
        }
    }

    private func grant(_ pool: PlanePool, _ now: Instant) {
        let before = pool.instances.count
        budget.take(pool.function.memoryMB, for: pool.function.name)
        handle(.roomGranted, pool, now)
        if pool.instances.count == before { budget.give(pool.function.memoryMB, of: pool.function.name) }
    }

    /// Stops the instances that have been idle longest, whoever has them, until enough is on its way back.
    private func evict(_ missingMB: Int, for claim: FairQueue.Claim, _ now: Instant) {
        var missing = missingMB
        while missing > 0 {
            var oldest: (since: Instant, pool: PlanePool)?
            for pool in numbered.values where pool.number != claim.pool {
                guard let since = pool.machine.idleSince else { continue }
                if let found = oldest, (found.since, found.pool.number) <= (since, pool.number) { continue }
                oldest = (since, pool)
            }
            guard let oldest else { return }
            missing -= oldest.pool.function.memoryMB
            handle(.evict, oldest.pool, now)
        }
    }
}
