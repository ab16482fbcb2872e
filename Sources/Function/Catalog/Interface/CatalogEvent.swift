package import Lambda

/// What has changed, told after it is on the disk and `resolve` gives the new state, in order, on the catalogue's
/// worker: short, and never waiting.
package enum CatalogEvent: Hashable, Sendable {
    /// A version is there, or $LATEST is another: `replacing` is not called any more, its instances may go when idle.
    case deployed(DeployedFunction, replacing: DeployedFunction?)
    /// A version is gone; its calls that run may end.
    case retired(DeployedFunction)
    /// After all its versions were retired.
    case functionDeleted(name: String)
    /// nil: none is reserved.
    case reservedConcurrency(name: String, Int?)
    /// All that is to be kept warm of a function, by version; versions that are not named: nothing.
    case provisionedConcurrency(name: String, [ProvisionedFunction])
    /// A mapping is new or changed.
    case mapping(EventSourceMapping)
    case mappingDeleted(EventSourceMapping)
    /// A function URL is new or changed.
    case functionURL(FunctionURL)
    case functionURLDeleted(FunctionURL)
}
