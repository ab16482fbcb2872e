import JSON

/// Rules for the metadata of any object (`pkg/api/validation/objectmeta.go` of apimachinery).
enum MetadataRules {
    /// All annotations of an object together, in bytes.
    static let annotationLimit = 256 * 1024

    static func check(_ object: Located, _ kind: Kind, _ causes: inout Causes) {
        let metadata = object["metadata"]
        let (name, generate) = (metadata["name"], metadata["generateName"])
        if !generate.isEmpty {
            causes.invalid(generate, problems(withTrailingDashMasked(generate.text), kind))
        }
        if name.isEmpty {
            causes.required(name, "name or generateName is required")
        } else {
            causes.invalid(name, problems(name.text, kind))
        }
        let namespace = metadata["namespace"]
        if kind.isNamespaced {
            if namespace.isEmpty {
                causes.required(namespace)
            } else {
                causes.invalid(namespace, Names.dnsLabel(namespace.text))
            }
        } else if !namespace.isEmpty {
            causes.forbidden(namespace, "not allowed on this type")
        }
        checkCommon(metadata, &causes)
    }

    /// Labels, annotations, owners and finalizers; also of templates, which have no name.
    static func checkCommon(_ metadata: Located, _ causes: inout Causes) {
        labels(metadata["labels"], &causes)
        annotations(metadata["annotations"], &causes)
        causes.nonNegative(metadata["generation"])
        owners(metadata["ownerReferences"], &causes)
        for finalizer in metadata["finalizers"].elements { causes.invalid(finalizer, Names.labelKey(finalizer.text)) }
    }

    /// Says of labels, or of what is written like them, what is wrong. The server names the whole map, not the key.
    static func labels(_ labels: Located, _ causes: inout Causes) {
        for (key, value) in labels.entries {
            causes.invalid(labels, Names.labelKey(key), value: .string(key))
            causes.invalid(labels, Names.labelValue(value.text), value: .string(value.text))
        }
    }

    private static func annotations(_ annotations: Located, _ causes: inout Causes) {
        var size = 0
        for (key, value) in annotations.entries {
            causes.invalid(annotations, Names.labelKey(key.lowercased()), value: .string(key))
            size += key.utf8.count + value.text.utf8.count
        }
        if size > annotationLimit { causes.tooLong(annotations, limit: annotationLimit) }
    }

    private static func owners(_ owners: Located, _ causes: inout Causes) {
        var controllers: [String] = []
        for owner in owners.elements {
            for field in ["apiVersion", "kind", "name", "uid"] where owner[field].isEmpty {
                causes.required(owner[field], "must not be empty")
            }
            if owner["controller"].isTrue {
                controllers.append(owner["name"].text)
                if controllers.count == 2 {
                    causes.invalid(
                        owners,
                        "Only one reference can have Controller set to true. Found \"true\" in references for "
                            + "\(controllers[0]) and \(controllers[1])")
                }
            }
        }
    }

    static func checkUpdate(_ object: Located, _ old: Located, _ causes: inout Causes) {
        let (metadata, before) = (object["metadata"], old["metadata"])
        for field in [
            "name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
        ] {
            Immutable.check(metadata[field], before[field], &causes)
        }
        if metadata["resourceVersion"].isEmpty {
            causes.invalid(metadata["resourceVersion"], "must be specified for an update", value: "")
        }
        if before["deletionTimestamp"].exists {
            let known = Set(before["finalizers"].elements.map(\.text))
            let new = metadata["finalizers"].elements.map(\.text).filter { !known.contains($0) }
            if !new.isEmpty {
                causes.forbidden(
                    metadata["finalizers"],
                    "no new finalizers can be added if the object is being deleted, found new finalizers []string{"
                        + new.map(quoted).joined(separator: ", ") + "}")
            }
        }
    }

    // MARK: Names of kinds

    private static func problems(_ name: String, _ kind: Kind) -> [String] {
        switch kind.id.kind {
        case "Namespace": return Names.dnsLabel(name)
        case "Service": return Names.dns1035Label(name)
        case "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding": return Names.pathSegment(name)
        case "CronJob":
            // A job's name adds 11 characters, and a pod's name must still be a label.
            return Names.dnsSubdomain(name) + (name.utf8.count > 52 ? ["must be no more than 52 characters"] : [])
        default: return Names.dnsSubdomain(name)
        }
    }

    /// What is generated is put behind the dash, so that it is not the last character.
    private static func withTrailingDashMasked(_ name: String) -> String {
        name.utf8.count > 1 && name.hasSuffix("-") ? name.dropLast(2) + "a" : name
    }
}

/// Fields that an update must leave alone.
enum Immutable {
    static func check(_ new: Located, _ old: Located, _ causes: inout Causes, _ detail: String = "field is immutable") {
        guard !(new.isEmpty && old.isEmpty), new.json != old.json else { return }
        causes.invalid(new, detail, value: new.json ?? .null)
    }
}
