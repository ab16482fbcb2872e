internal import JSON
internal import Lambda

// Account settings, and what of a function's surroundings this node can say.
extension CatalogState {
    func getAccountSettings(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        let limit: JSONObject = [
            "TotalCodeSize": settings.codeStorageLimit.json,
            "CodeSizeUnzipped": ConfigurationReading.unpackedLimit.json,
            "CodeSizeZipped": CodeMaking.archiveLimit.json,
            "ConcurrentExecutions": settings.concurrencyLimit.json,
            "UnreservedConcurrentExecutions": (settings.concurrencyLimit - reservedTotal).json,
        ]
        let usage: JSONObject = ["TotalCodeSize": codeSize.json, "FunctionCount": functions.count.json]
        return Decision(answer: ["AccountLimit": .object(limit), "AccountUsage": .object(usage)] as JSONObject)
    }

    func getRuntimeManagement(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        let (record, qualifier) = try named(request)
        _ = try existing(record, qualifier)
        return Decision(
            answer: ["UpdateRuntimeOn": "Auto", "FunctionArn": account.function(record.name, qualifier).json] as JSONObject)
    }

    func putRuntimeManagement(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        let (record, qualifier) = try named(request)
        _ = try existing(record, qualifier)
        var members = try request.members()
        guard let mode = try members.choice("UpdateRuntimeOn", ["Auto", "Manual", "FunctionUpdate"]) else {
            throw members.missing("UpdateRuntimeOn")
        }
        try members.refuse("RuntimeVersionArn", "runtimes are those of this machine, of which there is one version.")
        try members.finish()
        guard mode == "Auto" else {
            throw .invalidParameter(
                "UpdateRuntimeOn cannot be \(mode): a runtime is a program of this machine and is updated with it. "
                    + "A container image keeps its own.")
        }
        return Decision(
            answer: ["UpdateRuntimeOn": "Auto", "FunctionArn": account.function(record.name, qualifier).json] as JSONObject)
    }

    func getRecursion(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        _ = try unqualified(request)
        return Decision(answer: ["RecursiveLoop": "Allow"] as JSONObject)
    }

    func putRecursion(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        _ = try unqualified(request)
        var members = try request.members()
        guard let mode = try members.choice("RecursiveLoop", ["Allow", "Terminate"]) else { throw members.missing("RecursiveLoop") }
        try members.finish()
        guard mode == "Allow" else {
            throw .invalidParameter(
                "RecursiveLoop cannot be Terminate: loops of functions are not detected here. Bound them with reserved concurrency.")
        }
        return Decision(answer: ["RecursiveLoop": "Allow"] as JSONObject)
    }
}
