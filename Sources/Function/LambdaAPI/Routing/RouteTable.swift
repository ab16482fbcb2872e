internal import Lambda

/// Every operation of the Lambda API by method and path, those that are not supported included: a client that calls one is
/// told its name.
///
/// Taken from the service's model as of November 2026 (`every operation of the service's model has a route`).
enum RouteTable {
    static let routes: [Route] = supported + unsupported

    private static let supported: [Route] = [
        Route("POST", "/2015-03-31/functions/{FunctionName}/invocations", .invoke),
        Route("POST", "/2014-11-13/functions/{FunctionName}/invoke-async", .invokeAsync),
        Route("GET", "/2015-03-31/event-source-mappings", .operation(.listEventSourceMappings)),
        Route("POST", "/2015-03-31/event-source-mappings", .operation(.createEventSourceMapping)),
        Route("DELETE", "/2015-03-31/event-source-mappings/{UUID}", .operation(.deleteEventSourceMapping)),
        Route("GET", "/2015-03-31/event-source-mappings/{UUID}", .operation(.getEventSourceMapping)),
        Route("PUT", "/2015-03-31/event-source-mappings/{UUID}", .operation(.updateEventSourceMapping)),
        Route("GET", "/2015-03-31/functions", .operation(.listFunctions)),
        Route("POST", "/2015-03-31/functions", .operation(.createFunction)),
        Route("DELETE", "/2015-03-31/functions/{FunctionName}", .operation(.deleteFunction)),
        Route("GET", "/2015-03-31/functions/{FunctionName}", .operation(.getFunction)),
        Route("GET", "/2015-03-31/functions/{FunctionName}/aliases", .operation(.listAliases)),
        Route("POST", "/2015-03-31/functions/{FunctionName}/aliases", .operation(.createAlias)),
        Route("DELETE", "/2015-03-31/functions/{FunctionName}/aliases/{Name}", .operation(.deleteAlias)),
        Route("GET", "/2015-03-31/functions/{FunctionName}/aliases/{Name}", .operation(.getAlias)),
        Route("PUT", "/2015-03-31/functions/{FunctionName}/aliases/{Name}", .operation(.updateAlias)),
        Route("PUT", "/2015-03-31/functions/{FunctionName}/code", .operation(.updateFunctionCode)),
        Route("GET", "/2015-03-31/functions/{FunctionName}/configuration", .operation(.getFunctionConfiguration)),
        Route("PUT", "/2015-03-31/functions/{FunctionName}/configuration", .operation(.updateFunctionConfiguration)),
        Route("GET", "/2015-03-31/functions/{FunctionName}/policy", .operation(.getPolicy)),
        Route("POST", "/2015-03-31/functions/{FunctionName}/policy", .operation(.addPermission)),
        Route("DELETE", "/2015-03-31/functions/{FunctionName}/policy/{StatementId}", .operation(.removePermission)),
        Route("GET", "/2015-03-31/functions/{FunctionName}/versions", .operation(.listVersionsByFunction)),
        Route("POST", "/2015-03-31/functions/{FunctionName}/versions", .operation(.publishVersion)),
        Route("GET", "/2016-08-19/account-settings", .operation(.getAccountSettings)),
        Route("DELETE", "/2017-03-31/tags/{Resource}", .operation(.untagResource)),
        Route("GET", "/2017-03-31/tags/{Resource}", .operation(.listTags)),
        Route("POST", "/2017-03-31/tags/{Resource}", .operation(.tagResource)),
        Route("DELETE", "/2017-10-31/functions/{FunctionName}/concurrency", .operation(.deleteFunctionConcurrency)),
        Route("PUT", "/2017-10-31/functions/{FunctionName}/concurrency", .operation(.putFunctionConcurrency)),
        Route("GET", "/2018-10-31/layers", query: ("find", "LayerVersion"), .operation(.getLayerVersionByARN)),
        Route("GET", "/2018-10-31/layers", .operation(.listLayers)),
        Route("GET", "/2018-10-31/layers/{LayerName}/versions", .operation(.listLayerVersions)),
        Route("POST", "/2018-10-31/layers/{LayerName}/versions", .operation(.publishLayerVersion)),
        Route("DELETE", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}", .operation(.deleteLayerVersion)),
        Route("GET", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}", .operation(.getLayerVersion)),
        Route(
            "GET", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy", .operation(.getLayerVersionPolicy)),
        Route(
            "POST", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy",
            .operation(.addLayerVersionPermission)),
        Route(
            "DELETE", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy/{StatementId}",
            .operation(.removeLayerVersionPermission)),
        Route(
            "DELETE", "/2019-09-25/functions/{FunctionName}/event-invoke-config",
            .operation(.deleteFunctionEventInvokeConfig)),
        Route(
            "GET", "/2019-09-25/functions/{FunctionName}/event-invoke-config", .operation(.getFunctionEventInvokeConfig)
        ),
        Route(
            "POST", "/2019-09-25/functions/{FunctionName}/event-invoke-config",
            .operation(.updateFunctionEventInvokeConfig)),
        Route(
            "PUT", "/2019-09-25/functions/{FunctionName}/event-invoke-config", .operation(.putFunctionEventInvokeConfig)
        ),
        Route(
            "GET", "/2019-09-25/functions/{FunctionName}/event-invoke-config/list",
            .operation(.listFunctionEventInvokeConfigs)),
        Route("GET", "/2019-09-30/functions/{FunctionName}/concurrency", .operation(.getFunctionConcurrency)),
        Route(
            "GET", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", query: ("List", "ALL"),
            .operation(.listProvisionedConcurrencyConfigs)),
        Route(
            "DELETE", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency",
            .operation(.deleteProvisionedConcurrencyConfig)),
        Route(
            "GET", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency",
            .operation(.getProvisionedConcurrencyConfig)),
        Route(
            "PUT", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency",
            .operation(.putProvisionedConcurrencyConfig)),
        Route(
            "GET", "/2021-07-20/functions/{FunctionName}/runtime-management-config",
            .operation(.getRuntimeManagementConfig)),
        Route(
            "PUT", "/2021-07-20/functions/{FunctionName}/runtime-management-config",
            .operation(.putRuntimeManagementConfig)),
        Route("DELETE", "/2021-10-31/functions/{FunctionName}/url", .operation(.deleteFunctionURLConfig)),
        Route("GET", "/2021-10-31/functions/{FunctionName}/url", .operation(.getFunctionURLConfig)),
        Route("POST", "/2021-10-31/functions/{FunctionName}/url", .operation(.createFunctionURLConfig)),
        Route("PUT", "/2021-10-31/functions/{FunctionName}/url", .operation(.updateFunctionURLConfig)),
        Route("GET", "/2021-10-31/functions/{FunctionName}/urls", .operation(.listFunctionURLConfigs)),
        Route("POST", "/2021-11-15/functions/{FunctionName}/response-streaming-invocations", .invokeWithResponseStream),
        Route("GET", "/2024-08-31/functions/{FunctionName}/recursion-config", .operation(.getFunctionRecursionConfig)),
        Route("PUT", "/2024-08-31/functions/{FunctionName}/recursion-config", .operation(.putFunctionRecursionConfig)),
    ]

    private static let unsupported: [Route] = [
        Route("GET", "/2020-04-22/code-signing-configs", .unsupported("ListCodeSigningConfigs")),
        Route("POST", "/2020-04-22/code-signing-configs", .unsupported("CreateCodeSigningConfig")),
        Route(
            "DELETE", "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}", .unsupported("DeleteCodeSigningConfig")
        ),
        Route("GET", "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}", .unsupported("GetCodeSigningConfig")),
        Route(
            "PUT", "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}", .unsupported("UpdateCodeSigningConfig")),
        Route(
            "GET", "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}/functions",
            .unsupported("ListFunctionsByCodeSigningConfig")),
        Route(
            "DELETE", "/2020-06-30/functions/{FunctionName}/code-signing-config",
            .unsupported("DeleteFunctionCodeSigningConfig")),
        Route(
            "GET", "/2020-06-30/functions/{FunctionName}/code-signing-config",
            .unsupported("GetFunctionCodeSigningConfig")),
        Route(
            "PUT", "/2020-06-30/functions/{FunctionName}/code-signing-config",
            .unsupported("PutFunctionCodeSigningConfig")),
        Route("GET", "/2025-11-30/capacity-providers", .unsupported("ListCapacityProviders")),
        Route("POST", "/2025-11-30/capacity-providers", .unsupported("CreateCapacityProvider")),
        Route(
            "DELETE", "/2025-11-30/capacity-providers/{CapacityProviderName}", .unsupported("DeleteCapacityProvider")),
        Route("GET", "/2025-11-30/capacity-providers/{CapacityProviderName}", .unsupported("GetCapacityProvider")),
        Route("PUT", "/2025-11-30/capacity-providers/{CapacityProviderName}", .unsupported("UpdateCapacityProvider")),
        Route(
            "GET", "/2025-11-30/capacity-providers/{CapacityProviderName}/function-versions",
            .unsupported("ListFunctionVersionsByCapacityProvider")),
        Route(
            "GET", "/2025-11-30/functions/{FunctionName}/function-scaling-config",
            .unsupported("GetFunctionScalingConfig")),
        Route(
            "PUT", "/2025-11-30/functions/{FunctionName}/function-scaling-config",
            .unsupported("PutFunctionScalingConfig")),
        Route(
            "POST", "/2025-12-01/durable-execution-callbacks/{CallbackId}/fail",
            .unsupported("SendDurableExecutionCallbackFailure")),
        Route(
            "POST", "/2025-12-01/durable-execution-callbacks/{CallbackId}/heartbeat",
            .unsupported("SendDurableExecutionCallbackHeartbeat")),
        Route(
            "POST", "/2025-12-01/durable-execution-callbacks/{CallbackId}/succeed",
            .unsupported("SendDurableExecutionCallbackSuccess")),
        Route("DELETE", "/2025-12-01/durable-executions/{DurableExecutionArn}", .unsupported("DeleteDurableExecution")),
        Route("GET", "/2025-12-01/durable-executions/{DurableExecutionArn}", .unsupported("GetDurableExecution")),
        Route(
            "POST", "/2025-12-01/durable-executions/{DurableExecutionArn}/checkpoint",
            .unsupported("CheckpointDurableExecution")),
        Route(
            "GET", "/2025-12-01/durable-executions/{DurableExecutionArn}/history",
            .unsupported("GetDurableExecutionHistory")),
        Route(
            "POST", "/2025-12-01/durable-executions/{DurableExecutionArn}/pause", .unsupported("PauseDurableExecution")),
        Route(
            "POST", "/2025-12-01/durable-executions/{DurableExecutionArn}/resume",
            .unsupported("ResumeDurableExecution")),
        Route(
            "GET", "/2025-12-01/durable-executions/{DurableExecutionArn}/state",
            .unsupported("GetDurableExecutionState")),
        Route(
            "POST", "/2025-12-01/durable-executions/{DurableExecutionArn}/stop", .unsupported("StopDurableExecution")),
        Route(
            "GET", "/2025-12-01/functions/{FunctionName}/durable-executions",
            .unsupported("ListDurableExecutionsByFunction")),
        Route("DELETE", "/2026-07-09/resource-policy/{ResourceArn}", .unsupported("DeleteResourcePolicy")),
        Route("GET", "/2026-07-09/resource-policy/{ResourceArn}", .unsupported("GetResourcePolicy")),
        Route("PUT", "/2026-07-09/resource-policy/{ResourceArn}", .unsupported("PutResourcePolicy")),
    ]

    /// By the first part of the path, which is the date of the operation.
    private static let byDate = Dictionary(grouping: routes) { $0.date }

    /// The route of a request, with the decoded parts of its path.
    ///
    /// - Throws: UnknownOperationException when there is none; InvalidParameterValueException for broken escapes.
    static func match(method: String, rawPath: Substring, query: QueryItems) throws(LambdaFailure) -> RouteMatch {
        var segments = rawPath.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        if segments.last == "" { segments.removeLast() }
        var methods: [String] = []
        for route in byDate[String(segments.first ?? "")] ?? [] {
            guard let parts = route.parts(of: segments) else { continue }
            if route.method == method, route.query.map({ query[$0.name] == $0.value }) ?? true {
                return RouteMatch(
                    target: route.target, parts: try decoded(parts), query: query.without(route.query?.name))
            }
            methods.append(route.method)
        }
        let request = "\(method) \(rawPath.prefix(256))"
        throw LambdaFailure(
            "UnknownOperationException", status: 404,
            methods.isEmpty
                ? "There is no operation \(request) in the Lambda API. Check the path and its date."
                : "There is no operation \(request) in the Lambda API: this path takes \(methods.joined(separator: ", "))."
        )
    }

    private static func decoded(_ parts: [Route.Part]) throws(LambdaFailure) -> [RouteMatch.Part] {
        var result: [RouteMatch.Part] = []
        for part in parts {
            guard let value = PercentCoding.decode(part.raw) else {
                throw .invalidParameter(
                    "The part '\(part.raw.prefix(128))' of the path has a broken escape or is no UTF-8.")
            }
            result.append(RouteMatch.Part(name: part.name, value: value))
        }
        return result
    }
}
