extension KubernetesKinds {
    /// Roles, and questions about identity and access.
    static let access = """
        package rbac/v1 rbac.authorization.k8s.io
        kind Role roles
        column Name string name -- Name of the role.
        column Created_At date -- When it was made.
        kind ClusterRole clusterroles cluster
        column Name string name -- Name of the role.
        column Created_At date -- When it was made.
        kind RoleBinding rolebindings
        column Name string name -- Name of the binding.
        column Role string -- The role that is given.
        column Age string -- Since when it exists.
        column Users string wide -- Users that get it.
        column Groups string wide -- Groups that get it.
        column ServiceAccounts string wide -- Service accounts that get it.
        kind ClusterRoleBinding clusterrolebindings cluster
        column Name string name -- Name of the binding.
        column Role string -- The role that is given.
        column Age string -- Since when it exists.
        column Users string wide -- Users that get it.
        column Groups string wide -- Groups that get it.
        column ServiceAccounts string wide -- Service accounts that get it.

        type Role -- What may be done in a namespace.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            rules 2 [PolicyRule] atomic -- The rules.

        type PolicyRule -- What may be done with which resources.
            verbs 1 [string]! atomic -- What may be done; * for everything.
            apiGroups 2 [string] atomic -- API groups of the resources; * for all.
            resources 3 [string] atomic -- Resources that are meant; * for all.
            resourceNames 4 [string] atomic -- Names of the objects; all when empty.
            nonResourceURLs 5 [string] atomic -- Paths of URLs, with * as the last step.

        type ClusterRole -- What may be done in the whole cluster.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            rules 2 [PolicyRule] atomic -- The rules.
            aggregationRule 3 AggregationRule? -- Roles whose rules this one takes over.

        type AggregationRule -- Roles whose rules another one takes over.
            clusterRoleSelectors 1 [LabelSelector] atomic -- Which roles, by their labels.

        type RoleBinding -- Gives a role to subjects, in a namespace.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            subjects 2 [Subject] atomic -- Users, groups and service accounts that get the role.
            roleRef 3 RoleRef! -- The role; it cannot be changed.

        type Subject atomic -- A user, group or service account.
            kind 1 string! -- User, Group or ServiceAccount.
            apiGroup 2 string -- API group of the object that is meant.
            name 3 string! -- Name of the object that is meant.
            namespace 4 string -- Namespace of the object that is meant.

        type RoleRef atomic -- The role that is given.
            apiGroup 1 string -- API group of the object that is meant.
            kind 2 string! -- Kind of the object that is meant.
            name 3 string! -- Name of the object that is meant.

        type ClusterRoleBinding -- Gives a role to subjects, in the whole cluster.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            subjects 2 [Subject] atomic -- Users, groups and service accounts that get the role.
            roleRef 3 RoleRef! -- The role; it cannot be changed.

        package authentication/v1 authentication.k8s.io
        kind TokenRequest tokenrequests virtual
        kind TokenReview tokenreviews cluster virtual
        kind SelfSubjectReview selfsubjectreviews cluster virtual

        type TokenRequest -- Asks for a token of a service account.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 TokenRequestSpec -- What is asked for.
            status 3 TokenRequestStatus -- What was observed last; written by the system.

        type TokenRequestSpec -- What token is wanted.
            audiences 1 [string] atomic -- For whom tokens are, or must be.
            expirationSeconds 4 int64? -- How long the token is to hold.
            boundObjectRef 3 BoundObjectReference? -- The object whose end ends the token.
            attestations 5 {[string]} -- Statements about the one who asks.

        type BoundObjectReference -- The object whose end ends a token.
            kind 1 string -- Kind of the object that is meant.
            apiVersion 2 string -- API version of the object that is meant.
            name 3 string -- Name of the object that is meant.
            uid 4 string -- Identity of the object that is meant.

        type TokenRequestStatus -- The token.
            token 1 string -- The token.
            expirationTimestamp 2 time -- When the token expires.

        type TokenReview -- Asks whose a token is.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 TokenReviewSpec! -- What is asked for.
            status 3 TokenReviewStatus -- What was observed last; written by the system.

        type TokenReviewSpec -- The token that is asked about.
            token 1 string -- The token.
            audiences 2 [string] atomic -- For whom tokens are, or must be.

        type TokenReviewStatus -- Whose the token is.
            authenticated 1 bool -- Whether the token is valid.
            user 2 UserInfo -- User that the volume is accessed as.
            audiences 4 [string] atomic -- For whom tokens are, or must be.
            error 3 string -- Why it could not be checked.

        type UserInfo -- A user.
            username 1 string -- Name of the user.
            uid 2 string -- Identity of the user.
            groups 3 [string] atomic -- Groups of the user.
            extra 4 {[string]} -- Further attributes of the user.

        type SelfSubjectReview -- Asks who one is.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            status 2 SelfSubjectReviewStatus -- What was observed last; written by the system.

        type SelfSubjectReviewStatus -- Who one is.
            userInfo 1 UserInfo -- The user.

        package authorization/v1 authorization.k8s.io
        kind SelfSubjectAccessReview selfsubjectaccessreviews cluster virtual
        kind SubjectAccessReview subjectaccessreviews cluster virtual
        kind LocalSubjectAccessReview localsubjectaccessreviews virtual
        kind SelfSubjectRulesReview selfsubjectrulesreviews cluster virtual

        type SelfSubjectAccessReview -- Asks whether one may do something.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 SelfSubjectAccessReviewSpec! -- What is asked for.
            status 3 SubjectAccessReviewStatus -- What was observed last; written by the system.

        type SelfSubjectAccessReviewSpec -- What one wants to do.
            resourceAttributes 1 ResourceAttributes? -- Access to a resource.
            nonResourceAttributes 2 NonResourceAttributes? -- Access to a path.

        type ResourceAttributes -- Access to a resource.
            namespace 1 string -- Namespace of the object that is meant.
            verb 2 string -- What is to be done.
            group 3 string -- API group of the resource.
            version 4 string -- Version of the API.
            resource 5 string -- The resource.
            subresource 6 string -- The subresource.
            name 7 string -- Name of the object that is meant.
            fieldSelector 8 FieldSelectorAttributes? -- Which objects, by fields.
            labelSelector 9 LabelSelectorAttributes? -- Which objects, by labels.

        type FieldSelectorAttributes -- A selector by fields.
            rawSelector 1 string -- The selector as text.
            requirements 2 [FieldSelectorRequirement] atomic -- The selector as requirements.

        type LabelSelectorAttributes -- A selector by labels.
            rawSelector 1 string -- The selector as text.
            requirements 2 [LabelSelectorRequirement] atomic -- The selector as requirements.

        type NonResourceAttributes -- Access to a path.
            path 1 string -- The path.
            verb 2 string -- What is to be done.

        type SubjectAccessReviewStatus -- The answer.
            allowed 1 bool! -- Whether it is allowed.
            denied 4 bool -- Whether it is forbidden whatever others say.
            reason 2 string -- A short cause in one word, for programs.
            evaluationError 3 string -- What failed while the answer was worked out.

        type SubjectAccessReview -- Asks whether somebody may do something.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 SubjectAccessReviewSpec! -- What is asked for.
            status 3 SubjectAccessReviewStatus -- What was observed last; written by the system.

        type SubjectAccessReviewSpec -- Who wants to do what.
            resourceAttributes 1 ResourceAttributes? -- Access to a resource.
            nonResourceAttributes 2 NonResourceAttributes? -- Access to a path.
            user 3 string -- User that the volume is accessed as.
            groups 4 [string] atomic -- Groups of the user.
            extra 5 {[string]} -- Further attributes of the user.
            uid 6 string -- Identity of the user.

        type LocalSubjectAccessReview -- Asks whether somebody may do something in a namespace.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 SubjectAccessReviewSpec! -- What is asked for.
            status 3 SubjectAccessReviewStatus -- What was observed last; written by the system.

        type SelfSubjectRulesReview -- Asks what one may do in a namespace.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 SelfSubjectRulesReviewSpec! -- What is asked for.
            status 3 SubjectRulesReviewStatus -- What was observed last; written by the system.

        type SelfSubjectRulesReviewSpec -- The namespace that is asked about.
            namespace 1 string -- Namespace of the object that is meant.

        type SubjectRulesReviewStatus -- What one may do.
            resourceRules 1 [ResourceRule]! atomic -- Rules about resources.
            nonResourceRules 2 [NonResourceRule]! atomic -- Rules about paths.
            incomplete 3 bool! -- Whether something may be missing.
            evaluationError 4 string -- What failed while the answer was worked out.

        type ResourceRule -- A rule about resources.
            verbs 1 [string]! atomic -- What may be done; * for everything.
            apiGroups 2 [string] atomic -- API groups of the resources; * for all.
            resources 3 [string] atomic -- Resources that are meant; * for all.
            resourceNames 4 [string] atomic -- Names of the objects; all when empty.

        type NonResourceRule -- A rule about paths.
            verbs 1 [string]! atomic -- What may be done; * for everything.
            nonResourceURLs 2 [string] atomic -- Paths of URLs, with * as the last step.
        """
}
