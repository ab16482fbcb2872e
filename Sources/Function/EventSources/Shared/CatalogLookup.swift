package import Catalog
package import Lambda

/// The node's catalogue, as event sources ask it.
package struct CatalogLookup: FunctionLookup {
    private let catalog: FunctionCatalog

    package init(_ catalog: FunctionCatalog) { self.catalog = catalog }

    package func function(at arn: String) throws(LambdaFailure) -> DeployedFunction {
        try catalog.resolve(arn, chance: .random(in: .min ... .max)).function
    }

    package func invokeSettings(at arn: String) -> EventInvokeSettings {
        guard let reference = try? FunctionReference(arn) else { return EventInvokeSettings() }
        return catalog.eventInvokeSettings(reference.name, qualifier: reference.qualifier)
    }
}
