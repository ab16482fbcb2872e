extension KubernetesKinds {
    /// Definitions of further kinds.
    ///
    /// In the message `items`, `additionalProperties` and `dependencies` are unions that JSON writes without their name, so
    /// that they have no number here. Clients send definitions as JSON.
    static let extensions = """
        package apiextensions/v1 apiextensions.k8s.io
        kind CustomResourceDefinition customresourcedefinitions crd crds cluster categories=api-extensions \
              subresources=status
        column Name string name -- Name of the definition.
        column Created_At date -- When it was made.

        type CustomResourceDefinition -- A kind that is served besides those built in.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 CustomResourceDefinitionSpec! -- What is asked for.
            status 3 CustomResourceDefinitionStatus -- What was observed last; written by the system.

        type CustomResourceDefinitionSpec -- What kind is to be served.
            group 1 string! -- API group of the kind; a domain name.
            names 3 CustomResourceDefinitionNames! -- What the kind is called.
            scope 4 string! -- Cluster or Namespaced.
            versions 7 [CustomResourceDefinitionVersion]! atomic -- The versions that there are.
            conversion 9 CustomResourceConversion? -- How objects are converted between versions.
            preserveUnknownFields 10 bool -- No longer in use; must be false.

        type CustomResourceDefinitionNames -- What a kind is called.
            plural 1 string! -- Name in paths.
            singular 2 string -- Name of one object; the kind in small letters by default.
            shortNames 3 [string] atomic -- Short names for clients.
            kind 4 string! -- Name in objects.
            listKind 5 string -- Name in lists; the kind with List behind it by default.
            categories 6 [string] atomic -- Groups of kinds that clients show together, such as all.

        type CustomResourceDefinitionVersion -- A version of a kind.
            name 1 string! -- Name of the version, such as v1 or v2beta1.
            served 2 bool! -- Whether it is served.
            storage 3 bool! -- Whether objects are stored in it; one version is.
            deprecated 7 bool -- Whether answers warn of it.
            deprecationWarning 8 string? -- The warning, in place of the one by default.
            schema 4 CustomResourceValidation? -- What its objects look like.
            subresources 5 CustomResourceSubresources? -- What is below each object.
            additionalPrinterColumns 6 [CustomResourceColumnDefinition] atomic -- What clients show of an object.
            selectableFields 9 [SelectableField] atomic -- Fields that objects can be selected by.

        type CustomResourceValidation -- What objects look like.
            openAPIV3Schema 1 JSONSchemaProps? -- The schema.

        type CustomResourceSubresources -- What is below each object.
            status 1 any? -- Whether the status is written for itself; an empty object.
            scale 2 CustomResourceSubresourceScale? -- Where the numbers of the scale are.

        type CustomResourceSubresourceScale -- Where the numbers of a scale are.
            specReplicasPath 1 string! -- Path below .spec to how many there shall be.
            statusReplicasPath 2 string! -- Path below .status to how many there are.
            labelSelectorPath 3 string? -- Path to the text of a label selector.

        type CustomResourceColumnDefinition -- A column that clients show.
            name 1 string! -- Title of the column.
            type 2 string! -- integer, number, string, boolean or date.
            format 3 string -- What the value is more exactly.
            description 4 string -- What the column shows.
            priority 5 int32 -- 0 is always shown, more only in wide tables.
            jsonPath 6 string! -- Where the value is.

        type SelectableField -- A field that objects can be selected by.
            jsonPath 1 string! -- Where the value is.

        type CustomResourceConversion -- How objects are converted between versions.
            strategy 1 string! -- None changes apiVersion alone.
            webhook 2 any? -- A service that converts; not served here.

        type CustomResourceDefinitionStatus -- What was observed of a definition.
            conditions 1 [CustomResourceDefinitionCondition] map=type -- What is known about the state, one entry \
                  for each type of condition.
            acceptedNames 2 CustomResourceDefinitionNames -- Names that are served.
            storedVersions 3 [string] atomic -- Versions that objects may be stored in.
            observedGeneration 4 int64 -- The generation that the status was made from.

        type CustomResourceDefinitionCondition -- What is known about a definition.
            type 1 string! -- Which type it is.
            status 2 string! -- True, False or Unknown.
            lastTransitionTime 3 time -- When the status changed last.
            reason 4 string -- A short cause in one word, for programs.
            message 5 string -- What happened, for people.
            observedGeneration 6 int64 -- The generation that the status was made from.

        type JSONSchemaProps -- A JSON schema, draft 4, with extensions of Kubernetes.
            id 1 string -- Not allowed.
            $schema 2 string -- Not allowed.
            $ref 3 string? -- Not allowed.
            description 4 string -- What the value means.
            type 5 string -- object, array, string, integer, number or boolean.
            format 6 string -- What a string or number is more exactly.
            title 7 string -- A short name.
            default 8 any? -- What stands for a missing value.
            maximum 9 double? -- The largest number.
            exclusiveMaximum 10 bool -- Whether the largest number is not allowed itself.
            minimum 11 double? -- The smallest number.
            exclusiveMinimum 12 bool -- Whether the smallest number is not allowed itself.
            maxLength 13 int64? -- The most characters of a string.
            minLength 14 int64? -- The fewest characters of a string.
            pattern 15 string -- A regular expression that a string must match somewhere.
            maxItems 16 int64? -- The most elements of a list.
            minItems 17 int64? -- The fewest elements of a list.
            uniqueItems 18 bool -- Not allowed; list types take its place.
            multipleOf 19 double? -- What a number must be a multiple of.
            enum 20 [any] atomic -- The only values.
            maxProperties 21 int64? -- The most members of an object.
            minProperties 22 int64? -- The fewest members of an object.
            required 23 [string] atomic -- Members that must be there.
            items - JSONSchemaProps -- The elements of a list.
            allOf 25 [JSONSchemaProps] atomic -- Schemas that must all hold.
            oneOf 26 [JSONSchemaProps] atomic -- Schemas of which exactly one must hold.
            anyOf 27 [JSONSchemaProps] atomic -- Schemas of which one must hold.
            not 28 JSONSchemaProps? -- A schema that must not hold.
            properties 29 {JSONSchemaProps} -- The members of an object, by name.
            additionalProperties - any? -- The members of an object whose names are data: a schema, or true.
            patternProperties 31 {JSONSchemaProps} -- Not allowed.
            dependencies - any? -- Not allowed.
            additionalItems - any? -- Not allowed.
            definitions 34 {JSONSchemaProps} -- Not allowed.
            externalDocs 35 any? -- Where more is written.
            example 36 any? -- An example.
            nullable 37 bool -- Whether null is a value.
            x-kubernetes-preserve-unknown-fields 38 bool? -- Whether members without a schema are kept.
            x-kubernetes-embedded-resource 39 bool -- Whether the value is an object of Kubernetes itself.
            x-kubernetes-int-or-string 40 bool -- Whether the value is an integer or a string.
            x-kubernetes-list-map-keys 41 [string] atomic -- The members that tell elements of a list apart.
            x-kubernetes-list-type 42 string? -- atomic, set or map.
            x-kubernetes-map-type 43 string? -- granular or atomic.
            x-kubernetes-validations 44 [ValidationRule] map=rule merge=rule -- Rules in CEL; stored and not evaluated \
                  here.

        type ValidationRule -- A rule in CEL.
            rule 1 string! -- The expression that must be true.
            message 2 string -- What is said when it is not.
            messageExpression 3 string -- An expression for what is said.
            reason 4 string? -- A short cause in one word, for programs.
            fieldPath 5 string -- The field that is named.
            optionalOldSelf 6 bool? -- Whether the rule holds for new objects too.
        """
}
