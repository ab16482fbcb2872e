import JSON
import KubeSchema

/// Says what is wrong with a CustomResourceDefinition, with the sentences of apiextensions-apiserver, and what of it
/// has no effect here.
///
/// Invariant: any object gives causes, none traps. (test: `no definition traps the rules`)
enum CustomDefinitionRules {
    static func causes(_ object: JSONValue) -> [Cause] {
        let definition = CustomDefinition(json: object)
        var rules = Rules()
        rules.check(definition)
        return rules.causes
    }

    /// What is stored and does nothing.
    static func warnings(_ object: JSONValue) -> [String] {
        CustomDefinition(json: object).spec.list("versions").flatMap { version -> [String] in
            guard SchemaNode(version["schema", "openAPIV3Schema"])?.hasExpressions == true else { return [] }
            return [
                "spec.versions[\(version.text("name"))].schema: x-kubernetes-validations are stored and have no "
                    + "effect: rules in CEL are not evaluated here"
            ]
        }
    }

    private struct Rules {
        var causes: [Cause] = []
        private let spec = FieldPath.root.child("spec")

        private mutating func add(
            _ reason: Cause.Reason, _ path: FieldPath, _ value: JSONValue = "", _ detail: String = ""
        ) { causes.append(Cause(reason, path, value: value, detail)) }

        mutating func check(_ definition: CustomDefinition) {
            let (group, names) = (definition.group, definition.names)
            let expected = names.plural + "." + group
            if definition.name != expected {
                let path = FieldPath.root.child("metadata").child("name")
                add(.invalid, path, .string(definition.name), "must be spec.names.plural+\".\"+spec.group")
            }
            checkGroup(definition)
            if let scope = definition.spec["scope"]?.string, !scope.isEmpty {
                if !["Cluster", "Namespaced"].contains(scope) {
                    add(
                        .notSupported, spec.child("scope"), .string(scope),
                        "supported values: \"Cluster\", \"Namespaced\"")
                }
            } else {
                add(.required, spec.child("scope"))
            }
            checkNames(names, spec.child("names"))
            checkConversion(definition.spec["conversion"])
            if definition.spec["preserveUnknownFields"]?.bool == true {
                add(
                    .invalid, spec.child("preserveUnknownFields"), true,
                    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
                )
            }
            checkVersions(definition.spec.list("versions"))
        }

        private mutating func checkGroup(_ definition: CustomDefinition) {
            let group = definition.group
            guard !group.isEmpty else { return add(.required, spec.child("group")) }
            for problem in Names.dnsSubdomain(group) { add(.invalid, spec.child("group"), .string(group), problem) }
            if !group.contains(".") {
                add(.invalid, spec.child("group"), .string(group), "should be a domain with at least one dot")
            }
            let key = "api-approved.kubernetes.io"
            let isProtected = ["k8s.io", "kubernetes.io"].contains { group == $0 || group.hasSuffix("." + $0) }
            if isProtected, (definition.json["metadata", "annotations", key]?.string ?? "").isEmpty {
                add(
                    .required, FieldPath.root.child("metadata").child("annotations").key(key), "",
                    "protected groups must have approval annotation \"\(key)\", see https://github.com/kubernetes/enhancements/pull/1111"
                )
            }
        }

        private mutating func checkNames(_ names: CustomDefinition.Names, _ path: FieldPath) {
            for (field, name, isKind) in [
                ("plural", names.plural, false), ("singular", names.singular, false), ("kind", names.kind, true),
                ("listKind", names.listKind, true),
            ] {
                if name.isEmpty || field == "listKind" && names.kind.isEmpty {
                    if field == "plural" || field == "kind" { add(.required, path.child(field)) }
                    continue
                }
                let mixed = "may have mixed case, but should otherwise match: "
                for problem in Names.dns1035Label(isKind ? name.lowercased() : name) {
                    add(.invalid, path.child(field), .string(name), (isKind ? mixed : "") + problem)
                }
            }
            for (index, name) in names.shortNames.enumerated() {
                for problem in Names.dns1035Label(name) {
                    add(.invalid, path.child("shortNames").index(index), .string(name), problem)
                }
            }
            for (index, name) in names.categories.enumerated() {
                for problem in Names.dns1035Label(name) {
                    add(.invalid, path.child("categories").index(index), .string(name), problem)
                }
            }
            if !names.kind.isEmpty, names.kind == names.listKind {
                add(.invalid, path.child("listKind"), .string(names.listKind), "kind and listKind may not be the same")
            }
        }

        private mutating func checkConversion(_ conversion: JSONValue?) {
            guard let conversion, !conversion.isNull else { return }
            let path = spec.child("conversion")
            let strategy = conversion.text("strategy")
            if strategy.isEmpty {
                add(.required, path.child("strategy"))
            } else if strategy == "Webhook" {
                add(
                    .notSupported, path.child("strategy"), "Webhook",
                    "supported values: \"None\" (this server calls no conversion webhooks)")
            } else if strategy != "None" {
                add(.notSupported, path.child("strategy"), .string(strategy), "supported values: \"None\"")
            } else if let webhook = conversion["webhook"], !webhook.isNull {
                add(.forbidden, path.child("webhook"), "", "should not be set when strategy is not set to Webhook")
            }
        }

        private mutating func checkVersions(_ versions: [JSONValue]) {
            let path = spec.child("versions")
            guard !versions.isEmpty else { return add(.required, path, "", "must have at least one version") }
            guard versions.count <= 100 else {
                return add(.tooMany, path, .integer(Int64(versions.count)), "must have at most 100 items")
            }
            let names = versions.map { $0.text("name") }
            if Set(names).count != names.count {
                add(.invalid, path, .array(names.map { .string($0) }), "must contain unique version names")
            }
            if versions.count(where: { $0["storage"]?.bool == true }) != 1 {
                add(
                    .invalid, path, .array(names.map { .string($0) }),
                    "must have exactly one version marked as storage version")
            }
            for (index, version) in versions.enumerated() { check(version, path.index(index)) }
        }

        private mutating func check(_ version: JSONValue, _ path: FieldPath) {
            let name = version.text("name")
            for problem in Names.dns1035Label(name) { add(.invalid, path.child("name"), .string(name), problem) }
            if version["deprecationWarning"]?.string != nil, version["deprecated"]?.bool != true {
                add(
                    .invalid, path.child("deprecationWarning"), version["deprecationWarning"] ?? "",
                    "can only be set for deprecated versions")
            }
            let schema = version["schema", "openAPIV3Schema"]
            causes += StructuralRules.causes(schema, path.child("schema").child("openAPIV3Schema"))
            checkColumns(version.list("additionalPrinterColumns"), path.child("additionalPrinterColumns"))
            checkScale(version["subresources", "scale"], path.child("subresources").child("scale"))
            causes += SelectableFieldRules.causes(
                version.list("selectableFields"), SchemaNode(schema), path.child("selectableFields"))
        }

        private mutating func checkColumns(_ columns: [JSONValue], _ path: FieldPath) {
            let types = ["boolean", "date", "integer", "number", "string"]
            for (index, column) in columns.enumerated() {
                let place = path.index(index)
                if column.text("name").isEmpty { add(.required, place.child("name")) }
                let type = column.text("type")
                if type.isEmpty {
                    let list = types.joined(separator: ", ")
                    add(.required, place.child("type"), "", "must be one of \(list)")
                } else if !types.contains(type) {
                    add(
                        .notSupported, place.child("type"), .string(type),
                        "supported values: \(types.map(quoted).joined(separator: ", "))")
                }
                checkPath(column.text("jsonPath"), place.child("jsonPath"))
            }
        }

        private mutating func checkPath(_ text: String, _ path: FieldPath) {
            guard !text.isEmpty else { return add(.required, path) }
            do throws(ColumnPathError) {
                _ = try ColumnPath(text)
            } catch {
                add(.invalid, path, .string(text), "is an invalid path: \(error)")
            }
        }

        private mutating func checkScale(_ scale: JSONValue?, _ path: FieldPath) {
            guard let scale, !scale.isNull else { return }
            for (field, root, isRequired) in [
                ("specReplicasPath", [".spec."], true), ("statusReplicasPath", [".status."], true),
                ("labelSelectorPath", [".spec.", ".status."], false),
            ] {
                let text = scale.text(field)
                guard !text.isEmpty else {
                    if isRequired { add(.required, path.child(field)) }
                    continue
                }
                let isSimple = text.utf8.allSatisfy { Names.isNameByte($0) } && !text.contains("..")
                if !isSimple {
                    add(.invalid, path.child(field), .string(text), "should be a simple json path")
                } else if !root.contains(where: { text.hasPrefix($0) && text.utf8.count > $0.utf8.count }) {
                    let places = root.map { String($0.dropLast()) }.joined(separator: " or ")
                    add(.invalid, path.child(field), .string(text), "should be a json path under \(places)")
                }
            }
        }
    }
}

extension Names {
    /// What a simple path is made of.
    fileprivate static func isNameByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "._-".utf8.contains(byte)
    }
}
