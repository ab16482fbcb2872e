import JSON
import KubeObjects
import KubeSchema
import Linux
import Testing

@testable import KubeViews

/// Definitions that tests share.
enum Definitions {
    static let now = Linux.Timestamp(nanoseconds: 1_767_312_000_000_000_000)

    /// The one of Kubernetes' own documentation, with more in its schema.
    static let cronTab: JSONValue = [
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": ["name": "crontabs.stable.example.com"],
        "spec": [
            "group": "stable.example.com", "scope": "Namespaced",
            "names": [
                "plural": "crontabs", "singular": "crontab", "kind": "CronTab", "shortNames": ["ct"],
                "categories": ["all"],
            ],
            "versions": [
                [
                    "name": "v1", "served": true, "storage": true,
                    "schema": ["openAPIV3Schema": schema],
                    "subresources": [
                        "status": [:],
                        "scale": [
                            "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                            "labelSelectorPath": ".status.labelSelector",
                        ],
                    ],
                    "additionalPrinterColumns": [
                        [
                            "name": "Spec", "type": "string", "description": "The cron spec.",
                            "jsonPath": ".spec.cronSpec",
                        ],
                        ["name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas", "priority": 1],
                        ["name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"],
                    ], "selectableFields": [["jsonPath": ".spec.image"]],
                ],
                [
                    "name": "v1beta1", "served": true, "storage": false, "deprecated": true,
                    "schema": ["openAPIV3Schema": ["type": "object", "x-kubernetes-preserve-unknown-fields": true]],
                ],
                [
                    "name": "v1alpha1", "served": false, "storage": false,
                    "schema": ["openAPIV3Schema": ["type": "object"]],
                ],
            ],
        ],
    ]

    static let schema: JSONValue = [
        "type": "object", "required": ["spec"],
        "properties": [
            "spec": [
                "type": "object", "description": "What is asked for.", "required": ["cronSpec"],
                "properties": [
                    "cronSpec": [
                        "type": "string", "pattern": #"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"#,
                        "description": "When.",
                    ],
                    "image": ["type": "string", "default": "nginx", "enum": ["nginx", "redis"]],
                    "replicas": ["type": "integer", "minimum": 1, "maximum": 10, "default": 1],
                    "port": ["x-kubernetes-int-or-string": true],
                    "ratio": ["type": "number", "exclusiveMinimum": true, "minimum": 0, "multipleOf": 0.5],
                    "tags": [
                        "type": "array", "items": ["type": "string"], "x-kubernetes-list-type": "set", "maxItems": 3,
                    ],
                    "jobs": [
                        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                        "items": [
                            "type": "object", "required": ["name"],
                            "properties": [
                                "name": ["type": "string", "minLength": 2],
                                "retries": ["type": "integer", "default": 3],
                            ],
                        ],
                    ],
                    "labels": ["type": "object", "additionalProperties": ["type": "string", "maxLength": 3]],
                    "anything": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
                    "until": ["type": "string", "format": "date-time", "nullable": true],
                    "either": [
                        "type": "object", "properties": ["a": ["type": "string"], "b": ["type": "string"]],
                        "oneOf": [["required": ["a"]], ["required": ["b"]]],
                    ],
                ],
            ],
            "status": [
                "type": "object",
                "properties": ["replicas": ["type": "integer"], "labelSelector": ["type": "string"]],
            ],
        ],
    ]

    /// A definition with the status that the review gives it.
    static func reviewed(_ definition: JSONValue, others: [JSONValue] = []) -> JSONValue {
        var result = definition
        result["status"] = CustomResourceReview.decide(definition, others: others, now: now)
        return result
    }

    /// The kinds with a definition that is served.
    static func served(_ definition: JSONValue = cronTab) -> ServedKinds {
        let kinds = ServedKinds()
        kinds.replace(with: [reviewed(definition)])
        return kinds
    }

    static func kind(_ definition: JSONValue = cronTab, _ version: String = "v1") throws -> ServedKind {
        let definition = CustomDefinition(json: definition)
        return try #require(
            served(definition.json).kind(group: definition.group, version: version, plural: definition.names.plural))
    }
}
