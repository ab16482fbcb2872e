internal import HTTPServing
package import Lambda
internal import Linux
internal import Metering

/// What the catalogue tells the plane, and what it can ask. Only on the loop.
extension FunctionPlane {
    /// A version was changed or deleted: what is accepted is served by its instances, then they go.
    ///
    /// A call of it that is still on its way (its order's turn has not come, say) is served too, by a new instance if
    /// need be.
    package func retire(_ function: DeployedFunction) {
        guard let pool = pools[PlanePool.Key(function)] else { return launcher.forget(function) }
        let now = now()
        handle(.drain, pool, now)
        settleBlockedPromises(now)
        serve(now)
    }

    /// A version was deployed: it may be called at any time.
    package func expect(_ function: DeployedFunction) { launcher.expect(function) }

    /// All versions of a function were deleted.
    package func retire(name: String) {
        for pool in numbered.values.sorted(by: { $0.number < $1.number }) where pool.function.name == name {
            retire(pool.function)
        }
    }

    /// Sets how many calls a function may have at a time, and is sure of; nil: as many as there is place for.
    ///
    /// - Throws: InvalidParameterValueException when too little would be left for others.
    package func setReserved(_ name: String, _ count: Int?) throws(LambdaFailure) {
        try limits.reserve(name, count)
    }

    /// Keeps so many instances of a version warm; 0: none in particular.
    package func setProvisioned(_ function: DeployedFunction, _ count: Int) {
        guard count > 0 || pools[PlanePool.Key(function)] != nil else { return }
        let pool = pool(of: function)
        let now = now()
        handle(.provision(count), pool, now)
        settleBlockedPromises(now)
        serve(now)
    }

    /// The versions of a function that have instances provisioned.
    package func provisionedFunctions(named name: String) -> [DeployedFunction] {
        numbered.values.filter { $0.function.name == name && $0.machine.promised > 0 }.map(\.function)
    }

    /// How many instances of a version are provisioned.
    package func provisioning(of function: DeployedFunction) -> Provisioning {
        guard let pool = pools[PlanePool.Key(function)] else {
            return Provisioning(requested: 0, allocated: 0, available: 0, state: .ready)
        }
        return provisioning(pool, now())
    }

    private func provisioning(_ pool: PlanePool, _ now: Instant) -> Provisioning {
        var provisioning = pool.machine.provisioning
        guard provisioning.state == .inProgress else { return provisioning }
        let needMB = pool.function.memoryMB
        if blockedPromises.contains(pool.number) {
            provisioning.state = .failed
            provisioning.reason =
                "no memory for another instance of \(needMB) MB: provisioned ones may have \(promisedLimitMB) MB on this node"
        } else if let claim = fair.claims[pool.number], claim.urgency == .promised,
            now - claim.since >= settings.promisePatience
        {
            provisioning.state = .failed
            provisioning.reason =
                "no memory for another instance of \(needMB) MB: functions use \(budget.usedMB) of \(budget.totalMB) MB"
        }
        return provisioning
    }

    func tellProvisioning(_ pool: PlanePool) {
        guard pool.machine.promised > 0 || pool.provisioning != nil else { return }
        let provisioning = provisioning(pool, now())
        guard provisioning != pool.provisioning else { return }
        pool.provisioning = provisioning
        if provisioning.available != pool.capacity?.instances ?? 0 { tellCapacity(pool) }
        onProvisioning?(pool.function, provisioning)
    }

    /// Tells what was kept ready until now, and begins a new span.
    func tellCapacity(_ pool: PlanePool) {
        let time = Clock.now()
        if let (instances, since) = pool.capacity {
            onCapacity?(
                ProvisionedCapacity(
                    function: pool.function.name, version: pool.function.version, memoryMB: pool.function.memoryMB,
                    instances: instances, from: since, to: time))
        }
        pool.capacityTimer?.cancel()
        pool.capacityTimer = nil
        let available = pool.machine.provisioning.available
        pool.capacity = available > 0 ? (available, time) : nil
        guard available > 0 else { return }
        let bound = LoopBound(self, on: loop)
        pool.capacityTimer = loop.schedule(after: settings.capacitySpan) { [number = pool.number] in
            guard let pool = bound.value.numbered[number] else { return }
            bound.value.tellCapacity(pool)
        }
    }
}
