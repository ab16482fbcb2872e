/// What Forkless offers beyond Lambda, as settings of a function. They are set with tags, which every tool of AWS can
/// write (`aws lambda tag-resource`, `Tags:` in a template): the tag is in each comment.
package struct FunctionSettings: Hashable, Sendable {
    /// How instances are used.
    package enum Freshness: Hashable, Sendable {
        /// One call after the other on a warm instance.
        case reuse
        /// A new instance, or a fork of the zygote, for each call.
        case fresh
        /// So many calls at once on one instance, which then polls so often.
        case concurrent(Int)
    }

    /// How instances start.
    package enum Start: Hashable, Sendable {
        case cold
        /// Forked from a process that has done its initialisation.
        case zygote
    }

    /// Where a key is taken from.
    package enum KeySource: Hashable, Sendable {
        /// `header:NAME` of the request.
        case header(String)
        /// `path:$.a.b[0]` in the payload.
        case path(String)
        /// `message`: the id of the message, file or scheduled run that the event came from.
        case message
        /// `sdk`: `amz-sdk-invocation-id`, which an SDK repeats in its retries.
        case sdk
    }

    /// What a stdio program finds on its standard input.
    package enum Input: Hashable, Sendable {
        /// The event as it is.
        case event
        /// The body of an HTTP request or of each record of an event (decoded when it is base64).
        case body
        /// The contents of the file that has arrived.
        case file
    }

    /// `forkless:freshness` = `reuse` (default), `fresh`, `concurrent:N`.
    package var freshness = Freshness.reuse
    /// `forkless:start` = `cold`, `zygote`. The default is `zygote` for python3.x and `cold` for the others.
    package var start = Start.cold
    /// `forkless:key`: calls with one key have one effect. nil: none is looked for.
    package var key: KeySource?
    /// `forkless:key-expiry`: seconds for which an answer is kept; default a day.
    package var keyExpirySeconds = 86_400
    /// `forkless:order`: calls with one value of this run one after the other, in the order of their arrival.
    package var order: KeySource?
    /// `forkless:deadline-header`: the header with the caller's deadline, milliseconds since 1970.
    package var deadlineHeader: String?
    /// `forkless:record` = `on`: payloads and answers stand in the ledger, so that they can be run again.
    package var recordsPayloads = false
    /// `forkless:input` = `event` (default), `body`, `file`.
    package var input = Input.event

    package init() {}
}
