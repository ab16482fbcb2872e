/// Fields that are about one connection and not about the message, RFC 9110 section 7.6.1. Pure.
package enum HopByHop {
    private static let names = [
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    /// Without these it would be another message, whatever the field Connection says.
    private static let essential: Set<String> = ["host", "content-length"]

    /// Whether a message asks for another protocol, and for which: `Connection: upgrade` with `Upgrade: websocket`.
    package static func upgrade(in headers: HeaderFields) -> String? {
        let words = options(headers)
        guard words.contains("upgrade"), let wanted = headers["upgrade"], !wanted.isEmpty else { return nil }
        return wanted
    }

    /// The fields that go on to the next hop.
    package static func passed(_ headers: HeaderFields) -> HeaderFields {
        let named = options(headers).subtracting(essential)
        var result = HeaderFields()
        result.fields = headers.fields.filter { field in
            let name = field.name.lowercased()
            return !names.contains(name) && !named.contains(name)
        }
        return result
    }

    /// What the fields Connection name, in small letters.
    private static func options(_ headers: HeaderFields) -> Set<String> {
        var options: Set<String> = []
        for field in headers.fields where HeaderFields.areEqual(field.name, "connection") {
            for word in field.value.split(separator: ",") {
                options.insert(String(word.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }).lowercased())
            }
        }
        return options
    }
}
