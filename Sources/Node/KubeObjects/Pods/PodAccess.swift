package import Linux

/// What the door asks of whoever runs the pods.
package protocol PodAccess: Sendable {
    /// Gives the lines of a container's log in parts, as plain text, until its end or as long as `follow` says.
    /// - Throws: 400 for a container that has not run yet, 404.
    func log(_ target: PodTarget, _ options: PodLogOptions) async throws(APIFailure) -> any APIParts

    /// Starts a program in a container.
    /// - Throws: 404, 400 for a container that does not run.
    func execute(
        _ target: PodTarget, _ options: PodStreamOptions, command: [String]
    ) async throws(APIFailure) -> any PodSession

    /// Joins the streams of a container's own program.
    func attach(_ target: PodTarget, _ options: PodStreamOptions) async throws(APIFailure) -> any PodSession

    /// Connects to a port on the pod's loopback interface.
    func connect(_ target: PodTarget, port: UInt16) async throws(APIFailure) -> SharedFD
}

/// Streams of a program in a container. Descriptors do not block; those that were not asked for are nil.
package protocol PodSession: AnyObject, Sendable {
    /// Where the program's input is written; closing it is its end. With a terminal the same description as `output`.
    var input: SharedFD? { get }
    var output: SharedFD? { get }
    /// nil with a terminal, which has one stream.
    var errors: SharedFD? { get }
    func resize(columns: UInt16, rows: UInt16) async
    /// Lets go of the input: the program reads its end.
    func closeInput()
    /// Waits for the program's end; of an attached one, for the end of its streams.
    /// - Returns: its exit status, 128 + N of one that signal N ended.
    func end() async throws(APIFailure) -> Int32
    /// The client has gone: an executed program without anybody gets SIGHUP with a terminal, else its streams close.
    func abandon()
}

/// The way of clients to pods, as whoever starts and stops pods uses it.
package protocol ServiceDataPath: Sendable {
    /// Says what addresses a pod has, in a network of pods, before anything runs in it and before its status says so.
    /// Returns when policies that select the pod hold for them; at once when none does.
    func admit(_ pod: KubeObject, addresses: [String]) async

    /// Takes a pod out of all services' rules, and returns when no new connection can reach it through one. Then waits, at
    /// most until `deadline`, for the connections there are to end.
    func withdraw(podUID: String, addresses: [String], deadline: ContinuousClock.Instant) async
}
