import JSON

/// How objects of a kind become rows (pkg/printers/internalversion of Kubernetes).
struct Printer: Sendable {
    /// The members that the cells are made of: "spec.containers.name".
    let paths: [String]
    /// One cell for each column.
    let cells: @Sendable (TableSubject) -> [JSONValue]
    /// What a row says besides: a pod that has ended is marked so that clients can leave it out.
    var conditions: (@Sendable (TableSubject) -> JSONValue?)?

    init(_ paths: [String], _ cells: @escaping @Sendable (TableSubject) -> [JSONValue]) {
        self.paths = paths
        self.cells = cells
    }

    static let metadata = ["metadata.name", "metadata.creationTimestamp", "metadata.deletionTimestamp"]

    /// Printers by group and kind.
    static let builtIn: [String: Printer] = {
        var all: [String: Printer] = [:]
        for group in [
            PodPrinters.all, WorkloadPrinters.all, ServicePrinters.all, NodePrinters.all, StoragePrinters.all,
            ConfigPrinters.all, PolicyPrinters.all, AccessPrinters.all, EventPrinters.all, AutoscalerPrinters.all,
        ] { all.merge(group) { _, _ in preconditionFailure("two printers for one kind") } }
        return all
    }()

    /// For a kind without a printer of its own: its name, and when it was made as the API says it.
    static let plain = Printer([]) { [$0.name, $0.json["metadata", "creationTimestamp"] ?? ""] }
}
