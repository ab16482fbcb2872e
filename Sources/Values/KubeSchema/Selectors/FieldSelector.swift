package import JSON

/// Which objects are meant, by fields: `status.phase!=Running,spec.nodeName=n1` (`k8s.io/apimachinery/pkg/fields`).
///
/// Invariant: what a selector is written as reads back as the same selector. (`field selectors read back`)
package struct FieldSelector: Hashable, Sendable {
    package struct Term: Hashable, Sendable {
        package let field: String
        package let isNegated: Bool
        package let value: String
    }

    /// All must hold.
    package let terms: [Term]

    /// Reads the form of `fieldSelector=`. In values, "\" stands before ",", "=" and itself.
    /// - Parameter besides: the fields that a custom kind's definition names; nil for a kind without one.
    /// - Throws: `SelectorError` for a text, or for a field that objects of the kind are not found by.
    package init(_ text: String, for kind: Kind, besides: [String]? = nil) throws(SelectorError) {
        let parts = Self.split(text).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var terms: [Term] = []
        for part in parts where !part.isEmpty {
            guard let (field, mark, rest) = Self.splitTerm(part) else {
                throw SelectorError("invalid selector: '\(text)'; can't understand '\(part)'")
            }
            guard Self.fields(of: kind).contains(field) || besides?.contains(field) == true else {
                throw SelectorError(
                    besides != nil || kind.id.group.isEmpty && Self.hasOwnConversion(kind)
                        ? "field label not supported: \(field)"
                        : "\(quoted(field)) is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                )
            }
            terms.append(Term(field: field, isNegated: mark == "!=", value: try Self.unescaped(rest)))
        }
        self.terms = terms
    }

    /// Whether it holds for an object. A field that is missing is an empty string, or false.
    package func matches(_ object: JSONValue) -> Bool {
        terms.allSatisfy { term in (Self.value(of: term.field, in: object) == term.value) != term.isNegated }
    }

    private static func value(of field: String, in object: JSONValue) -> String {
        var value: JSONValue? = object
        if field == "source" {
            return object["source"]?["component"]?.string ?? object["reportingComponent"]?.string ?? ""
        }
        for name in field.split(separator: ".") { value = value?[String(name)] }
        switch value {
        case .string(let text): return text
        case .bool(let flag): return flag ? "true" : "false"
        case .integer(let number): return String(number)
        default:
            // The defaults that Kubernetes' own selectable fields have.
            switch field {
            case "spec.unschedulable", "spec.hostNetwork": return "false"
            case "status.successful", "status.replicas": return "0"
            default: return ""
            }
        }
    }

    /// The fields that objects of a kind are found by (`AddFieldLabelConversionFunc`).
    package static func fields(of kind: Kind) -> [String] {
        let metadata = kind.isNamespaced ? ["metadata.name", "metadata.namespace"] : ["metadata.name"]
        switch (kind.id.group, kind.id.kind) {
        case ("", "Pod"):
            return metadata + [
                "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
                "spec.hostNetwork",
                "status.phase", "status.podIP", "status.nominatedNodeName",
            ]
        case ("", "Node"): return metadata + ["spec.unschedulable"]
        case ("", "Namespace"): return metadata + ["status.phase"]
        case ("", "Secret"): return metadata + ["type"]
        case ("", "Service"): return metadata + ["spec.clusterIP", "spec.type"]
        case ("", "ReplicationController"), ("apps", "ReplicaSet"): return metadata + ["status.replicas"]
        case ("batch", "Job"): return metadata + ["status.successful"]
        case ("", "Event"), ("events.k8s.io", "Event"):
            let object = kind.id.group.isEmpty ? "involvedObject" : "regarding"
            return metadata
                + ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"].map {
                    "\(object).\($0)"
                }
                + ["reason", "reportingComponent", "source", "type", "reportingController"]
        default: return metadata
        }
    }

    private static func hasOwnConversion(_ kind: Kind) -> Bool { fields(of: kind).count > 2 }

    // MARK: Text

    private static func split(_ text: String) -> [String] {
        var (parts, part, isEscaped) = ([String](), "", false)
        for scalar in text.unicodeScalars {
            if scalar == ",", !isEscaped {
                parts.append(part)
                part = ""
                continue
            }
            isEscaped = scalar == "\\" && !isEscaped
            part.unicodeScalars.append(scalar)
        }
        return parts + [part]
    }

    private static func splitTerm(_ term: String) -> (field: String, mark: String, value: String)? {
        for index in term.utf8.indices {
            for mark in ["!=", "==", "="] where term.utf8[index...].starts(with: mark.utf8) {
                let after = term.utf8.index(index, offsetBy: mark.utf8.count)
                return (String(term[..<index]), mark, String(term[after...]))
            }
        }
        return nil
    }

    private static func unescaped(_ text: String) throws(SelectorError) -> String {
        var (result, isEscaped) = ("", false)
        for scalar in text.unicodeScalars {
            if isEscaped {
                guard "\\,=".unicodeScalars.contains(scalar) else {
                    throw SelectorError("invalid field selector: invalid escape sequence: \\\(scalar)")
                }
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
                continue
            } else if scalar == "," || scalar == "=" {
                throw SelectorError("invalid field selector: unescaped character in value: \(scalar.value)")
            }
            result.unicodeScalars.append(scalar)
        }
        guard !isEscaped else { throw SelectorError("invalid field selector: invalid escape sequence: \\") }
        return result
    }
}

extension FieldSelector: CustomStringConvertible {
    package var description: String {
        terms.map { term in
            var value = ""
            for scalar in term.value.unicodeScalars {
                if "\\,=".unicodeScalars.contains(scalar) { value += "\\" }
                value.unicodeScalars.append(scalar)
            }
            return term.field + (term.isNegated ? "!=" : "=") + value
        }.joined(separator: ",")
    }
}
