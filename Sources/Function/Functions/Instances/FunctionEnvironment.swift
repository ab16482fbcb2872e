package import Lambda
package import Spawn

/// The environment of a function's programs, as AWS Lambda sets it ("Defined runtime environment variables").
///
/// What an image or the function says stands above the defaults, and what is reserved stands above both. There is no
/// variable for credentials: nothing here gives any, and a made-up key would only move the failure elsewhere.
package enum FunctionEnvironment {
    package static let taskRoot = "/var/task"
    package static let runtimeDirectory = "/var/runtime"

    /// Everything that is the same for all instances of a version.
    ///
    /// - Parameters:
    ///   - image: the environment of the image's config, "NAME=VALUE"; nil: the root is the machine's.
    ///   - hasRuntimeAPI: whether the Runtime API is served to it.
    package static func common(
        of function: DeployedFunction, region: String, image: [String]? = nil, hasRuntimeAPI: Bool = true
    ) -> StringBlock {
        var variables: [(name: String, value: String)] = []
        func set(_ name: String, _ value: String) {
            if let index = variables.firstIndex(where: { $0.name == name }) {
                variables[index].value = value
            } else {
                variables.append((name, value))
            }
        }
        for (name, value) in image == nil ? defaults : imageDefaults { set(name, value) }
        for text in image ?? [] {
            let name = text.prefix { $0 != "=" }
            set(String(name), String(text.dropFirst(name.count + 1)))
        }
        for (name, value) in function.environment.sorted(by: { $0.key < $1.key }) { set(name, value) }
        for (name, value) in reserved(function, region) where hasRuntimeAPI || name != "AWS_LAMBDA_RUNTIME_API" { set(name, value) }
        return StringBlock(variables.map { "\($0.name)=\($0.value)" })
    }

    /// What differs from instance to instance.
    package static func own(logStream: String, isProvisioned: Bool) -> StringBlock {
        [
            "AWS_LAMBDA_LOG_STREAM_NAME=\(logStream)",
            "AWS_LAMBDA_INITIALIZATION_TYPE=\(isProvisioned ? "provisioned-concurrency" : "on-demand")",
        ]
    }

    package static func logGroup(_ name: String) -> String { "/aws/lambda/\(name)" }

    private static let imageDefaults = [
        ("LANG", "en_US.UTF-8"), ("TZ", ":UTC"),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
    ]

    private static let defaults = [
        ("LANG", "en_US.UTF-8"), ("TZ", ":UTC"),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
        (
            "LD_LIBRARY_PATH",
            "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
        ),
    ]

    private static func reserved(_ function: DeployedFunction, _ region: String) -> [(String, String)] {
        var variables = [
            ("AWS_LAMBDA_RUNTIME_API", InstanceNetwork.runtimeAPI), ("_HANDLER", function.handler),
            ("LAMBDA_TASK_ROOT", taskRoot), ("LAMBDA_RUNTIME_DIR", runtimeDirectory), ("AWS_REGION", region),
            ("AWS_DEFAULT_REGION", region), ("AWS_LAMBDA_FUNCTION_NAME", function.name),
            ("AWS_LAMBDA_FUNCTION_VERSION", function.version),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "\(function.memoryMB)"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", function.logGroup ?? logGroup(function.name)),
        ]
        if function.logsJSON {
            variables += [("AWS_LAMBDA_LOG_FORMAT", "JSON"), ("AWS_LAMBDA_LOG_LEVEL", function.applicationLogLevel ?? "INFO")]
        }
        if case .python(let name) = function.runtime { variables.append(("AWS_EXECUTION_ENV", "AWS_Lambda_\(name)")) }
        if case .concurrent(let count) = function.settings.freshness, count > 1 {
            variables.append(("AWS_LAMBDA_MAX_CONCURRENCY", "\(count)"))
        }
        return variables
    }
}
