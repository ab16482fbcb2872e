package import JSON

/// An address of the dashboard with which a browser logs in, once: `dashboard.open`.
///
/// Whoever may open the node's socket administers the node, and so may see its pages.
package struct OpenDashboard: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = DashboardAddress
    package static let operation = NodeOperation.openDashboard

    package init() {}

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {}

    package var json: JSONValue { [:] }
}

package struct DashboardAddress: NodeValue {
    package var url: String

    package init(url: String) { self.url = url }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) { self.init(url: try reader.required("url")) }

    package var json: JSONValue { ["url": .string(url)] }
}
