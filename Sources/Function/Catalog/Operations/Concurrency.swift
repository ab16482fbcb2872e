internal import JSON
internal import Lambda

// Reserved and provisioned concurrency.
extension CatalogState {
    func putConcurrency(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        var record = try unqualified(request)
        var members = try request.members()
        guard let count = try members.integer("ReservedConcurrentExecutions", 0...Int(Int32.max)) else {
            throw members.missing("ReservedConcurrentExecutions")
        }
        try members.finish()
        let others = reservedTotal - (record.reserved ?? 0)
        guard settings.concurrencyLimit - others - count >= settings.unreservedMinimum else {
            throw .invalidParameter(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
                    + "minimum value of [\(settings.unreservedMinimum)].")
        }
        let provisioned = record.provisioned.values.reduce(0) { $0 + $1.count }
        guard count >= provisioned else {
            throw .invalidParameter(
                "ReservedConcurrentExecutions  \(count) should not be lower than function's total provisioned concurrency [\(provisioned)].")
        }
        record.reserved = count
        return Decision([.function(record)], answer: ["ReservedConcurrentExecutions": count.json] as JSONObject)
    }

    func getConcurrency(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        let record = try unqualified(request)
        var answer = JSONObject()
        answer.put("ReservedConcurrentExecutions", record.reserved)
        return Decision(answer: answer)
    }

    func deleteConcurrency(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        var record = try unqualified(request)
        record.reserved = nil
        return Decision([.function(record)])
    }

    // MARK: - Provisioned

    func putProvisioned(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        var (record, qualifier) = try provisionable(request)
        var members = try request.members()
        guard let count = try members.integer("ProvisionedConcurrentExecutions", 1...Int(Int32.max)) else {
            throw members.missing("ProvisionedConcurrentExecutions")
        }
        try members.finish()
        let version = try version(record, qualifier)
        let isTaken = record.provisioned.keys.contains { other in
            other != qualifier && (try? self.version(record, other).version) == version.version
        }
        guard !isTaken else {
            throw .conflict(
                record.aliases[qualifier] == nil
                    ? "Version is pointed by a Provisioned Concurrency alias"
                    : "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
        }
        let others = record.provisioned.reduce(0) { $0 + ($1.key == qualifier ? 0 : $1.value.count) }
        if let reserved = record.reserved, others + count > reserved {
            throw .invalidParameter(
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
        }
        let unreserved = settings.concurrencyLimit - reservedTotal - provisionedTotal(without: record.name)
        guard record.reserved != nil || unreserved - others - count >= settings.unreservedMinimum else {
            throw .invalidParameter(
                "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency "
                    + "[\(max(0, unreserved - others))].")
        }
        try checkMemory(version, count)
        record.provisioned[qualifier] = ProvisionedRecord(count: count, modified: moment.now)
        return Decision([.function(record)], answer: answer(record, qualifier, moment))
    }

    func getProvisioned(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        let (record, qualifier) = try provisionable(request)
        guard record.provisioned[qualifier] != nil else {
            throw LambdaFailure(
                "ProvisionedConcurrencyConfigNotFoundException", status: 404,
                "No Provisioned Concurrency Config found for this function")
        }
        return Decision(answer: answer(record, qualifier, moment))
    }

    func deleteProvisioned(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        var (record, qualifier) = try provisionable(request)
        guard record.provisioned.removeValue(forKey: qualifier) != nil else { return Decision() }
        return Decision([.function(record)])
    }

    func listProvisioned(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("List", "Marker", "MaxItems")
        let record = try unqualified(request)
        let page = try Page(request, most: 50)
        let elements = record.provisioned.keys.map { (name: $0, element: $0) }
        return Decision(
            answer: page.answer("ProvisionedConcurrencyConfigs", elements) { qualifier in
                var object = answer(record, qualifier, moment)
                object.put("FunctionArn", account.function(record.name, qualifier))
                return .object(object)
            })
    }

    // MARK: - Parts

    private func provisionable(_ request: CatalogRequest) throws(LambdaFailure) -> (FunctionRecord, String) {
        let (record, qualifier) = try named(request)
        guard let qualifier else {
            throw .invalidParameter(
                "1 validation error detected: Value null at 'qualifier' failed to satisfy constraint: Member must not be null")
        }
        guard try version(record, qualifier).version != "$LATEST" else {
            throw .invalidParameter("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
        }
        return (record, qualifier)
    }

    private func provisionedTotal(without name: String) -> Int {
        functions.values.reduce(0) { sum, record in
            record.name == name || record.reserved != nil ? sum : sum + record.provisioned.values.reduce(0) { $0 + $1.count }
        }
    }

    private func checkMemory(_ version: VersionRecord, _ count: Int) throws(LambdaFailure) {
        guard count <= settings.memoryMB / version.content.memoryMB else {
            throw .invalidParameter(
                "\(count) instances of \(version.content.memoryMB) MB need more memory than this machine has "
                    + "(\(settings.memoryMB) MB). Ask for fewer, or for a smaller MemorySize.")
        }
    }

    private func answer(_ record: FunctionRecord, _ qualifier: String, _ moment: Moment) -> JSONObject {
        var object = JSONObject()
        guard let config = record.provisioned[qualifier], let version = try? version(record, qualifier) else { return object }
        let function = DeployedFunction(record.name, version, account, places)
        let (allocated, available) = moment.hooks.provisioned(function)
        object.put("RequestedProvisionedConcurrentExecutions", config.count)
        object.put("AvailableProvisionedConcurrentExecutions", min(available, config.count))
        object.put("AllocatedProvisionedConcurrentExecutions", min(allocated, config.count))
        object.put("Status", available >= config.count ? "READY" : "IN_PROGRESS")
        object.put("LastModified", config.modified.lambdaText)
        return object
    }

    /// What is to be kept warm of a function, by version, in the order of the versions.
    func provisioned(_ record: FunctionRecord) -> [ProvisionedFunction] {
        var counts: [Int: Int] = [:]
        for (qualifier, config) in record.provisioned {
            if let number = (try? version(record, qualifier)).flatMap({ Int($0.version) }) { counts[number, default: 0] += config.count }
        }
        return counts.sorted { $0.key < $1.key }.compactMap { number, count in
            versions[record.name]?[number].map {
                ProvisionedFunction(function: DeployedFunction(record.name, $0, account, places), count: count)
            }
        }
    }
}
