internal import HTTPServing

/// The one form of a request over which a signature is made, "Create a signed AWS API request" in AWS's manual.
///
/// The path is encoded twice, as for all services but S3: what came over the wire is encoded once more.
enum CanonicalRequest {
    static func text(_ request: HTTPRequest, _ query: QueryItems, signedHeaders: [String], payloadHash: String)
        -> String
    {
        var lines = [request.method, path(request.rawPath), self.query(query)]
        for name in signedHeaders { lines.append(name + ":" + value(of: name, in: request.headers)) }
        lines += ["", signedHeaders.joined(separator: ";"), payloadHash]
        return lines.joined(separator: "\n")
    }

    static func path(_ raw: Substring) -> String {
        var segments: [Substring] = []
        for segment in raw.split(separator: "/", omittingEmptySubsequences: true) where segment != "." {
            if segment == ".." { _ = segments.popLast() } else { segments.append(segment) }
        }
        var path = "/" + segments.joined(separator: "/")
        if raw.hasSuffix("/"), path != "/" { path += "/" }
        return PercentCoding.encode(path.utf8, keeping: UInt8(ascii: "/"))
    }

    static func query(_ query: QueryItems) -> String {
        query.items.filter { $0.name != "X-Amz-Signature" }
            .map { (PercentCoding.encode($0.name.utf8), PercentCoding.encode($0.value.utf8)) }
            .sorted { $0 < $1 }
            .map { "\($0)=\($1)" }.joined(separator: "&")
    }

    /// All fields of that name, each with its spaces reduced to single ones.
    static func value(of name: String, in headers: HeaderFields) -> String {
        headers.fields.filter { HeaderFields.areEqual($0.name, name) }
            .map { $0.value.split { $0 == " " || $0 == "\t" }.joined(separator: " ") }
            .joined(separator: ",")
    }
}
