/// Whose functions these are, as ARNs name them.
package struct LambdaAccount: Hashable, Sendable {
    /// "us-east-1"
    package var region: String
    /// Twelve digits.
    package var id: String

    package init(region: String = "us-east-1", id: String = "000000000000") {
        self.region = region
        self.id = id
    }

    /// arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]
    package func function(_ name: String, _ qualifier: String? = nil) -> String {
        let arn = "arn:aws:lambda:\(region):\(id):function:\(name)"
        return qualifier.map { arn + ":" + $0 } ?? arn
    }

    /// arn:aws:lambda:REGION:ACCOUNT:layer:NAME[:VERSION]
    package func layer(_ name: String, _ version: Int? = nil) -> String {
        let arn = "arn:aws:lambda:\(region):\(id):layer:\(name)"
        return version.map { "\(arn):\($0)" } ?? arn
    }

    /// arn:aws:lambda:REGION:ACCOUNT:event-source-mapping:UUID
    package func mapping(_ id: String) -> String { "arn:aws:lambda:\(region):\(self.id):event-source-mapping:\(id)" }
}
