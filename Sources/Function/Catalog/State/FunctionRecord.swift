internal import Lambda
internal import Linux

/// A function as it is declared, without its published versions.
struct FunctionRecord: Hashable, Sendable {
    var name: String
    /// $LATEST.
    var latest: VersionRecord
    /// The number of the next version: numbers are not given twice.
    var nextVersion = 1
    var tags: [String: String] = [:]
    var aliases: [String: AliasRecord] = [:]
    /// `ReservedConcurrentExecutions`
    var reserved: Int?
    /// By version or alias.
    var provisioned: [String: ProvisionedRecord] = [:]
    /// By version, alias or "$LATEST".
    var eventInvoke: [String: EventInvokeRecord] = [:]
    /// By alias or "$LATEST".
    var urls: [String: URLRecord] = [:]
    /// By version, alias or "$LATEST"; in the order in which they were added.
    var policies: [String: [PolicyStatement]] = [:]

    init(name: String, latest: VersionRecord) {
        self.name = name
        self.latest = latest
    }
}

/// $LATEST or a published version.
struct VersionRecord: Hashable, Sendable {
    /// "$LATEST" or a number.
    var version: String
    var description: String
    /// `RevisionId`: another after each change.
    var revisionID: String
    /// Another after each change of what runs: `DeployedFunction.revision`.
    var deployment: String
    var modified: Timestamp
    var content: FunctionContent
}

/// What a version runs, and how: what publishing compares.
struct FunctionContent: Hashable, Sendable {
    var code: CodeRecord
    /// nil for images.
    var runtime: String?
    var handler: String?
    var role: String
    var timeoutSeconds = 3
    var memoryMB = 128
    var ephemeralMB = 512
    var environment: [String: String] = [:]
    var layers: [LayerReference] = []
    var fileSystems: [FileSystemRecord] = []
    /// `DeadLetterConfig.TargetArn`
    var deadLetter: String?
    var logging = LoggingRecord()
    var image: ImageConfigRecord?
    var tracesActively = false
    /// `SnapStart.ApplyOn` is PublishedVersions.
    var snapStarts = false
    /// The tags of Forkless when this was deployed: a version keeps them as it keeps its environment.
    var settings: [String: String] = [:]
}

struct CodeRecord: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// Unpacked in the directory that bears the digest in hexadecimal digits.
        case zip(directory: String)
        case image(id: String, uri: String, resolvedURI: String)
    }

    var kind: Kind
    /// `CodeSha256`: base64 for archives, hexadecimal digits for images, as the service has them.
    var digest: String
    /// `CodeSize`: bytes of the archive or the image.
    var size: Int
    /// Bytes when unpacked; 0 for images.
    var unpackedSize: Int
}

/// A layer as a function refers to it, which outlives the layer.
struct LayerReference: Hashable, Sendable {
    /// With the version.
    var arn: String
    /// Its digest in hexadecimal digits.
    var directory: String
    var size: Int
    var unpackedSize: Int
}

struct FileSystemRecord: Hashable, Sendable {
    var arn: String
    /// A directory of this machine.
    var source: String
    /// /mnt/NAME
    var target: String
}

struct LoggingRecord: Hashable, Sendable {
    var isJSON = false
    var applicationLevel: String?
    var systemLevel: String?
    /// nil: /aws/lambda/NAME.
    var group: String?
}

struct ImageConfigRecord: Hashable, Sendable {
    var entryPoint: [String]?
    var command: [String]?
    var workingDirectory: String?
}

struct AliasRecord: Hashable, Sendable {
    var name: String
    var version: String
    var description: String
    /// Another version and its share of the calls.
    var other: Weight?
    var revisionID: String

    struct Weight: Hashable, Sendable {
        var version: String
        /// 0 to 1.
        var share: Double
    }
}

struct ProvisionedRecord: Hashable, Sendable {
    var count: Int
    var modified: Timestamp
}

struct EventInvokeRecord: Hashable, Sendable {
    var maximumRetries: Int?
    var maximumAgeSeconds: Int?
    var onSuccess: String?
    var onFailure: String?
    var modified: Timestamp
}

struct URLRecord: Hashable, Sendable {
    var url: FunctionURL
    var created: Timestamp
    var modified: Timestamp
}

struct PolicyStatement: Hashable, Sendable {
    var id: String
    /// The statement as JSON, as it is answered.
    var text: String
}
