package import JSON
internal import Lambda

/// All pools in numbers: `GET /forkless/v1/pools`.
package struct PlaneStatus: Hashable, Sendable {
    package struct Pool: Hashable, Sendable {
        package var function: String
        package var version: String
        package var revision: String
        package var memoryMB: Int
        package var isDraining: Bool
        package var counts: InstancePoolCounts
        package var provisioning: Provisioning
        /// Why its instances are started cold though it asks for a zygote; nil: they are not.
        package var coldStartReason: String?
    }

    package struct Function: Hashable, Sendable {
        package var name: String
        package var reserved: Int?
        package var inFlight: Int
    }

    package var memoryMB: Int
    package var usedMemoryMB: Int
    package var concurrency: Int
    package var unreservedConcurrency: Int
    package var inFlight: Int
    package var startsUnderWay: Int
    /// Pools that wait for memory or for their turn to start an instance.
    package var waitingPools: Int
    /// By name, version and age.
    package var pools: [Pool]
    /// Those that have a reserve or calls.
    package var functions: [Function]
}

extension FunctionPlane {
    package func status() -> PlaneStatus {
        let pools = numbered.values.sorted {
            ($0.function.name, $0.function.version, $0.number) < ($1.function.name, $1.function.version, $1.number)
        }
        return PlaneStatus(
            memoryMB: budget.totalMB, usedMemoryMB: budget.usedMB, concurrency: limits.account,
            unreservedConcurrency: limits.unreserved, inFlight: limits.inFlight, startsUnderWay: startsUnderWay,
            waitingPools: fair.waiting,
            pools: pools.map { pool in
                PlaneStatus.Pool(
                    function: pool.function.name, version: pool.function.version, revision: pool.function.revision,
                    memoryMB: pool.function.memoryMB, isDraining: pool.machine.isDraining, counts: pool.machine.counts,
                    provisioning: provisioning(of: pool.function),
                    coldStartReason: launcher.coldStartReason(pool.function))
            },
            functions: limits.entries.filter { $0.reserved != nil || $0.inFlight > 0 }.map {
                PlaneStatus.Function(name: $0.function, reserved: $0.reserved, inFlight: $0.inFlight)
            }.sorted { $0.name < $1.name })
    }
}

extension PlaneStatus {
    package var json: JSONValue {
        var object = JSONObject()
        object["MemoryMB"] = .integer(Int64(memoryMB))
        object["UsedMemoryMB"] = .integer(Int64(usedMemoryMB))
        object["ConcurrentExecutions"] = .integer(Int64(concurrency))
        object["UnreservedConcurrentExecutions"] = .integer(Int64(unreservedConcurrency))
        object["InFlight"] = .integer(Int64(inFlight))
        object["StartsUnderWay"] = .integer(Int64(startsUnderWay))
        object["WaitingPools"] = .integer(Int64(waitingPools))
        object["Pools"] = .array(pools.map(\.json))
        object["Functions"] = .array(functions.map(\.json))
        return .object(object)
    }
}

extension PlaneStatus.Function {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object["FunctionName"] = .string(name)
        if let reserved { object["ReservedConcurrentExecutions"] = .integer(Int64(reserved)) }
        object["InFlight"] = .integer(Int64(inFlight))
        return .object(object)
    }
}

extension PlaneStatus.Pool {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object["FunctionName"] = .string(function)
        object["Version"] = .string(version)
        object["RevisionId"] = .string(revision)
        object["MemorySize"] = .integer(Int64(memoryMB))
        object["IsDraining"] = .bool(isDraining)
        let numbers = [
            ("Starting", counts.starting), ("Idle", counts.idle), ("Busy", counts.busy), ("Stopping", counts.stopping),
            ("Waiting", counts.waiting), ("Peak", counts.peak), ("Calls", counts.calls),
            ("WaitedCalls", counts.waitedCalls),
            ("RefusedCalls", counts.refusedCalls), ("Launched", counts.launched), ("FailedStarts", counts.failedStarts),
            ("Evicted", counts.evicted),
        ]
        for (name, number) in numbers { object[name] = .integer(Int64(number)) }
        if let failure = counts.lastFailure {
            object["LastFailure"] = .string("\(failure.errorType): \(failure.errorMessage)")
        }
        if let coldStartReason { object["ColdStartReason"] = .string(coldStartReason) }
        if provisioning.requested > 0 {
            var promise = JSONObject()
            promise["RequestedProvisionedConcurrentExecutions"] = .integer(Int64(provisioning.requested))
            promise["AllocatedProvisionedConcurrentExecutions"] = .integer(Int64(provisioning.allocated))
            promise["AvailableProvisionedConcurrentExecutions"] = .integer(Int64(provisioning.available))
            promise["Status"] = .string(provisioning.state.rawValue)
            if let reason = provisioning.reason { promise["StatusReason"] = .string(reason) }
            object["Provisioned"] = .object(promise)
        }
        return .object(object)
    }
}
