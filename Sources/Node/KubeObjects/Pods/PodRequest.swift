/// A pod, and one of its containers, that a client wants to talk to. It was authorised and the pod exists.
package struct PodTarget: Hashable, Sendable {
    package var namespace: String
    package var name: String
    package var uid: String
    /// nil for the whole pod: port-forward.
    package var container: String?

    package init(namespace: String, name: String, uid: String, container: String? = nil) {
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.container = container
    }
}

/// What is wanted of a pod.
package enum PodRequest: Sendable {
    case log(PodTarget, PodLogOptions)
    case execute(PodTarget, PodStreamOptions, command: [String])
    case attach(PodTarget, PodStreamOptions)
    /// TCP ports of the pod; those that the request names, others may be asked for on the connection.
    case portForward(PodTarget, ports: [UInt16])
}

/// core/v1.PodLogOptions.
package struct PodLogOptions: Hashable, Sendable {
    package var follow = false
    /// Of the container's run before this one.
    package var previous = false
    /// Only what was written in the last so many seconds, or since then (RFC 3339).
    package var sinceSeconds: Int64?
    package var sinceTime: String?
    package var timestamps = false
    package var tailLines: Int64?
    package var limitBytes: Int64?
    /// What was written to one stream alone (PodLogsQuerySplitStreams); nil: both.
    package var stream: Stream?

    package enum Stream: String, Hashable, Sendable, CaseIterable {
        case output = "Stdout"
        case errors = "Stderr"
    }

    package init() {}
}

/// core/v1.PodExecOptions, PodAttachOptions: which streams are carried.
package struct PodStreamOptions: Hashable, Sendable {
    package var stdin = false
    package var stdout = false
    package var stderr = false
    package var tty = false

    package init() {}
}
