/// What the Lambda API can declare, change and list, by the names of the service. Invoking is none of these: the door
/// does that itself.
package enum LambdaOperation: String, Hashable, Sendable, CaseIterable {
    case createFunction = "CreateFunction"
    case updateFunctionCode = "UpdateFunctionCode"
    case updateFunctionConfiguration = "UpdateFunctionConfiguration"
    case getFunction = "GetFunction"
    case getFunctionConfiguration = "GetFunctionConfiguration"
    case listFunctions = "ListFunctions"
    case deleteFunction = "DeleteFunction"

    case publishVersion = "PublishVersion"
    case listVersionsByFunction = "ListVersionsByFunction"

    case createAlias = "CreateAlias"
    case getAlias = "GetAlias"
    case updateAlias = "UpdateAlias"
    case deleteAlias = "DeleteAlias"
    case listAliases = "ListAliases"

    case putFunctionConcurrency = "PutFunctionConcurrency"
    case getFunctionConcurrency = "GetFunctionConcurrency"
    case deleteFunctionConcurrency = "DeleteFunctionConcurrency"

    case putProvisionedConcurrencyConfig = "PutProvisionedConcurrencyConfig"
    case getProvisionedConcurrencyConfig = "GetProvisionedConcurrencyConfig"
    case deleteProvisionedConcurrencyConfig = "DeleteProvisionedConcurrencyConfig"
    case listProvisionedConcurrencyConfigs = "ListProvisionedConcurrencyConfigs"

    case putFunctionEventInvokeConfig = "PutFunctionEventInvokeConfig"
    case updateFunctionEventInvokeConfig = "UpdateFunctionEventInvokeConfig"
    case getFunctionEventInvokeConfig = "GetFunctionEventInvokeConfig"
    case deleteFunctionEventInvokeConfig = "DeleteFunctionEventInvokeConfig"
    case listFunctionEventInvokeConfigs = "ListFunctionEventInvokeConfigs"

    case createEventSourceMapping = "CreateEventSourceMapping"
    case getEventSourceMapping = "GetEventSourceMapping"
    case updateEventSourceMapping = "UpdateEventSourceMapping"
    case deleteEventSourceMapping = "DeleteEventSourceMapping"
    case listEventSourceMappings = "ListEventSourceMappings"

    case createFunctionURLConfig = "CreateFunctionUrlConfig"
    case getFunctionURLConfig = "GetFunctionUrlConfig"
    case updateFunctionURLConfig = "UpdateFunctionUrlConfig"
    case deleteFunctionURLConfig = "DeleteFunctionUrlConfig"
    case listFunctionURLConfigs = "ListFunctionUrlConfigs"

    case publishLayerVersion = "PublishLayerVersion"
    case getLayerVersion = "GetLayerVersion"
    case getLayerVersionByARN = "GetLayerVersionByArn"
    case listLayers = "ListLayers"
    case listLayerVersions = "ListLayerVersions"
    case deleteLayerVersion = "DeleteLayerVersion"
    case addLayerVersionPermission = "AddLayerVersionPermission"
    case removeLayerVersionPermission = "RemoveLayerVersionPermission"
    case getLayerVersionPolicy = "GetLayerVersionPolicy"

    case tagResource = "TagResource"
    case untagResource = "UntagResource"
    case listTags = "ListTags"

    case addPermission = "AddPermission"
    case removePermission = "RemovePermission"
    case getPolicy = "GetPolicy"

    case getAccountSettings = "GetAccountSettings"
    case getRuntimeManagementConfig = "GetRuntimeManagementConfig"
    case putRuntimeManagementConfig = "PutRuntimeManagementConfig"
    case getFunctionRecursionConfig = "GetFunctionRecursionConfig"
    case putFunctionRecursionConfig = "PutFunctionRecursionConfig"
}

extension LambdaOperation {
    /// The status of an answer that went well.
    package var status: Int {
        switch self {
        case .createFunction, .publishVersion, .createAlias, .createFunctionURLConfig, .publishLayerVersion,
            .addLayerVersionPermission, .addPermission:
            201
        case .putProvisionedConcurrencyConfig, .createEventSourceMapping, .updateEventSourceMapping,
            .deleteEventSourceMapping:
            202
        case .deleteFunction, .deleteAlias, .deleteFunctionConcurrency, .deleteProvisionedConcurrencyConfig,
            .deleteFunctionEventInvokeConfig, .deleteFunctionURLConfig, .deleteLayerVersion,
            .removeLayerVersionPermission, .tagResource, .untagResource, .removePermission:
            204
        default: 200
        }
    }
}
