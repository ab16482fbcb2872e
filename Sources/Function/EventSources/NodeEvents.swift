package import Catalog
package import Functions
package import Lambda
package import Store

/// All event sources of a node, put together: asynchronous events, queues, and the mappings that the catalogue declares.
///
/// The store's migrations must hold `EventSourceTables.migrations`.
package final class NodeEvents: Sendable {
    package let queues: DurableQueues
    package let outbox: Outbox
    package let events: AsyncEvents
    package let mappings: EventSourceMappings
    /// The door for clients of SQS.
    package let sqs: SQSService
    private let catalog: FunctionCatalog

    /// - Parameter waitScale: shortens or lengthens the waits before retries; 1 is what Lambda does.
    package init(
        store: StateDatabase, invoker: any Invoker, catalog: FunctionCatalog, account: LambdaAccount,
        clock: any EventClock = DayClock(), waitScale: Double = 1
    ) {
        self.catalog = catalog
        let rule = RetryRule(waitScale: waitScale)
        let functions = CatalogLookup(catalog)
        let order = CallOrder()
        queues = DurableQueues(store: store, place: QueuePlace(region: account.region), clock: clock)
        sqs = SQSService(queues)
        outbox = Outbox(store: store, queues: queues, clock: clock, rule: rule)
        events = AsyncEvents(
            store: store, invoker: invoker, functions: functions, outbox: outbox, clock: clock, rule: rule,
            orderKey: { order.key(of: $0) })
        mappings = EventSourceMappings(
            store: store, events: events, queues: queues, invoker: invoker, functions: functions, account: account,
            clock: clock, rule: rule, onResult: { [catalog] id, result in catalog.note(mapping: id, result: result) })
    }

    /// Takes up what the last run of the node has left, and begins to take events from all sources.
    ///
    /// Functions must be ready to be invoked.
    package func start() async throws(StoreFailure) {
        try await queues.start()
        try await events.start()
        // The catalogue outlives its observers' wish to know: a node has one of each.
        catalog.connect { [mappings] hooks in
            hooks.checkMapping = { mapping throws(LambdaFailure) in try mappings.check(mapping) }
        }
        catalog.observe { [mappings] event in
            switch event {
            case .mapping(let mapping): mappings.put(mapping)
            case .mappingDeleted(let mapping): mappings.remove(mapping.id)
            default: break
            }
        }
        for mapping in catalog.mappings() { mappings.put(mapping) }
    }

    /// Takes nothing more. Calls that run may end and are recorded as long as the database is open.
    package func stop() {
        mappings.stop()
        events.stop()
        outbox.stop()
    }
}
