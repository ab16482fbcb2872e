/// One version of a function as it is run: all that an instance needs to know, and nothing of where it is recorded.
///
/// Equal values share instances; whatever is changed by UpdateFunctionCode or UpdateFunctionConfiguration makes
/// another value with another `revision`.
package struct DeployedFunction: Hashable, Sendable {
    package var name: String
    /// "$LATEST" or a number.
    package var version: String
    /// The ARN without a qualifier.
    package var arn: String
    /// Of the state that this is: different after each change.
    package var revision: String
    /// SHA-256 of the code as base64: `CodeSha256`.
    package var codeDigest: String
    package var runtime: FunctionRuntime
    /// `Handler`; empty where the runtime needs none.
    package var handler: String
    /// The directory with the unpacked code, read-only at /var/task; nil for images.
    package var codeDirectory: String?
    /// Directories of the layers, in the order in which they are stacked on /opt (a later one hides an earlier).
    package var layerDirectories: [String]
    package var environment: [String: String]
    /// Of all processes of an instance, in MB (2^20 bytes); its share of the processors goes with it.
    package var memoryMB: Int
    /// `Timeout`.
    package var timeoutSeconds: Int
    /// Of /tmp, in MB.
    package var ephemeralMB: Int
    /// `FileSystemConfigs`: directories of this machine, mounted below /mnt and writable.
    package var fileSystems: [FileSystem] = []
    /// `LoggingConfig.LogFormat` is JSON.
    package var logsJSON: Bool
    /// `LoggingConfig.ApplicationLogLevel` and `SystemLogLevel`; nil: everything. Only with JSON.
    package var applicationLogLevel: String? = nil
    package var systemLogLevel: String? = nil
    /// `LoggingConfig.LogGroup`.
    package var logGroup: String? = nil
    /// `TracingConfig.Mode` is Active: the trace header says Sampled=1 where the caller's says nothing.
    package var tracesActively: Bool = false
    package var settings: FunctionSettings

    package init(
        name: String, version: String, arn: String, revision: String, codeDigest: String, runtime: FunctionRuntime,
        handler: String = "", codeDirectory: String? = nil, layerDirectories: [String] = [],
        environment: [String: String] = [:], memoryMB: Int = 128, timeoutSeconds: Int = 3, ephemeralMB: Int = 512,
        logsJSON: Bool = false, settings: FunctionSettings = FunctionSettings()
    ) {
        self.name = name
        self.version = version
        self.arn = arn
        self.revision = revision
        self.codeDigest = codeDigest
        self.runtime = runtime
        self.handler = handler
        self.codeDirectory = codeDirectory
        self.layerDirectories = layerDirectories
        self.environment = environment
        self.memoryMB = memoryMB
        self.timeoutSeconds = timeoutSeconds
        self.ephemeralMB = ephemeralMB
        self.logsJSON = logsJSON
        self.settings = settings
    }
}

/// A directory of this machine that instances see: `Arn` is arn:forkless:directory:REGION:ACCOUNT:/PATH.
package struct FileSystem: Hashable, Sendable {
    package var source: String
    /// `LocalMountPath`: /mnt/NAME.
    package var target: String

    package init(source: String, target: String) {
        self.source = source
        self.target = target
    }
}

/// What runs the code of a function.
package enum FunctionRuntime: Hashable, Sendable {
    /// `provided`, `provided.al2`, `provided.al2023`: the executable `bootstrap` of the code or of a layer.
    case bootstrap
    /// `python3.x`: AWS's runtime client awslambdaric with an interpreter of this machine. The text is `Runtime`.
    case python(String)
    /// `PackageType: Image`: the entry point of an image of this node, by its id; what `ImageConfig` says goes before.
    case image(id: String, entryPoint: [String]?, command: [String]?, workingDirectory: String?)
    /// `forkless.stdio`: a program of the machine or of the code that reads standard input and writes standard output,
    /// one fresh process for each call. Its words are the handler's, split like a shell does.
    case stdio
}
