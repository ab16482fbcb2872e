extension PrometheusText.Format {
    /// The format that the field Accept of a request prefers, RFC 9110 section 12.5.1. Who asks for neither gets text: a
    /// scraper that cannot read it says more about it than a 406 would.
    package init(accept: String?) {
        var best: (weight: Double, format: PrometheusText.Format) = (0, .text)
        for part in (accept ?? "").split(separator: ",") {
            let words = part.split(separator: ";").map { Self.trimmed($0) }
            guard let type = words.first else { continue }
            var parameters: [String: String] = [:]
            for word in words.dropFirst() {
                guard let equals = word.firstIndex(of: "=") else { continue }
                parameters[word[..<equals].lowercased()] = String(word[word.index(after: equals)...])
            }
            let weight = parameters["q"].map { Double($0) ?? 0 } ?? 1
            let format: PrometheusText.Format
            switch type.lowercased() {
            case "application/openmetrics-text" where ["1.0.0", nil].contains(parameters["version"]): format = .openMetrics
            case "text/plain" where ["0.0.4", nil].contains(parameters["version"]): format = .text
            case "text/*", "*/*": format = .text
            default: continue
            }
            // Of two that are asked for alike, the first.
            if weight > best.weight { best = (weight, format) }
        }
        self = best.format
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
