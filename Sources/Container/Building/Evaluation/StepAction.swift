/// What is to be done for one instruction, its variables replaced. Pure data: the same values are the same work.
package enum StepAction: Hashable, Sendable {
    /// The configuration has changed and no file does.
    case configuration
    case run(RunAction)
    case copy(CopyAction)
    /// The directory is made unless it is there.
    case makeDirectory(String)
}

/// A program that runs in the stage; what it changes is the layer.
package struct RunAction: Hashable, Sendable {
    /// The program and its arguments. Of a script: what stands in for its path is the first of them.
    package var words: [String]
    /// "NAME=VALUE": of the image and the ARGs.
    package var environment: [String]
    /// How the network is reached (predefined arguments): the program sees it, and the result does not depend on it.
    package var proxies: [String]
    package var directory: String
    package var user: String
    /// The text of a script that brings its interpreter along.
    package var script: String?
}

/// Files that are put into the stage.
package struct CopyAction: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        /// Below the root of what is copied from; may be a pattern.
        case path(String)
        case file(name: String, text: String)
    }

    package var sources: [Source]
    /// Absolute.
    package var destination: String
    /// Whether it was written as a directory: with a "/" at its end, or as ".".
    package var isDirectory: Bool
    package var origin: BuildGraph.Origin?
    package var owner: String?
    /// Permission bits, octal 7777.
    package var mode: UInt32?
    package var unpacksArchives: Bool
}
