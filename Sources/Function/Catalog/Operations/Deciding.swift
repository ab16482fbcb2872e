internal import Lambda

extension CatalogState {
    /// What a request comes to. Nothing is changed.
    func decide(
        _ operation: LambdaOperation, _ request: CatalogRequest, _ moment: inout Moment
    ) throws(LambdaFailure) -> Decision {
        switch operation {
        case .createFunction: try createFunction(request, &moment)
        case .updateFunctionCode: try updateFunctionCode(request, &moment)
        case .updateFunctionConfiguration: try updateFunctionConfiguration(request, &moment)
        case .getFunction: try getFunction(request, &moment)
        case .getFunctionConfiguration: try getFunctionConfiguration(request)
        case .listFunctions: try listFunctions(request)
        case .deleteFunction: try deleteFunction(request)
        case .publishVersion: try publishVersion(request, &moment)
        case .listVersionsByFunction: try listVersions(request)
        case .createAlias: try createAlias(request, &moment)
        case .getAlias: try getAlias(request)
        case .updateAlias: try updateAlias(request, &moment)
        case .deleteAlias: try deleteAlias(request)
        case .listAliases: try listAliases(request)
        case .putFunctionConcurrency: try putConcurrency(request)
        case .getFunctionConcurrency: try getConcurrency(request)
        case .deleteFunctionConcurrency: try deleteConcurrency(request)
        case .putProvisionedConcurrencyConfig: try putProvisioned(request, &moment)
        case .getProvisionedConcurrencyConfig: try getProvisioned(request, &moment)
        case .deleteProvisionedConcurrencyConfig: try deleteProvisioned(request)
        case .listProvisionedConcurrencyConfigs: try listProvisioned(request, &moment)
        case .putFunctionEventInvokeConfig: try putEventInvoke(request, &moment)
        case .updateFunctionEventInvokeConfig: try updateEventInvoke(request, &moment)
        case .getFunctionEventInvokeConfig: try getEventInvoke(request)
        case .deleteFunctionEventInvokeConfig: try deleteEventInvoke(request)
        case .listFunctionEventInvokeConfigs: try listEventInvoke(request)
        default: try decideRest(operation, request, &moment)
        }
    }

    private func decideRest(
        _ operation: LambdaOperation, _ request: CatalogRequest, _ moment: inout Moment
    ) throws(LambdaFailure) -> Decision {
        switch operation {
        case .createEventSourceMapping: try createMapping(request, &moment)
        case .getEventSourceMapping: try getMapping(request, &moment)
        case .updateEventSourceMapping: try updateMapping(request, &moment)
        case .deleteEventSourceMapping: try deleteMapping(request, &moment)
        case .listEventSourceMappings: try listMappings(request, &moment)
        case .createFunctionURLConfig: try createURL(request, &moment)
        case .getFunctionURLConfig: try getURL(request, &moment)
        case .updateFunctionURLConfig: try updateURL(request, &moment)
        case .deleteFunctionURLConfig: try deleteURL(request)
        case .listFunctionURLConfigs: try listURLs(request, &moment)
        case .publishLayerVersion: try publishLayer(request, &moment)
        case .getLayerVersion: try getLayerVersion(request, &moment)
        case .getLayerVersionByARN: try getLayerVersionByARN(request, &moment)
        case .listLayers: try listLayers(request, &moment)
        case .listLayerVersions: try listLayerVersions(request, &moment)
        case .deleteLayerVersion: try deleteLayerVersion(request)
        case .addLayerVersionPermission: try addLayerPermission(request, &moment)
        case .removeLayerVersionPermission: try removeLayerPermission(request, &moment)
        case .getLayerVersionPolicy: try getLayerPolicy(request)
        case .tagResource: try tagResource(request, &moment)
        case .untagResource: try untagResource(request, &moment)
        case .listTags: try listTags(request)
        case .addPermission: try addPermission(request, &moment)
        case .removePermission: try removePermission(request, &moment)
        case .getPolicy: try getPolicy(request)
        case .getAccountSettings: try getAccountSettings(request)
        case .getRuntimeManagementConfig: try getRuntimeManagement(request)
        case .putRuntimeManagementConfig: try putRuntimeManagement(request)
        case .getFunctionRecursionConfig: try getRecursion(request)
        case .putFunctionRecursionConfig: try putRecursion(request)
        default: preconditionFailure("\(operation) is decided above")
        }
    }
}
