import Linux
import Spawn

/// The environment of a program: Docker's defaults under what was asked for.
package enum DefaultEnvironment {
    package static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The PATH that a program will have.
    package static func searchPath(_ asked: [String]) -> String {
        asked.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) } ?? path
    }

    /// The whole environment: PATH, HOSTNAME, HOME and for a terminal TERM, then what was asked for, which wins.
    static func of(_ spec: ContainerSpec, identity: Users.Identity, hostname: String? = nil) -> StringBlock {
        var variables = ["PATH=\(path)"]
        if spec.rung != .process { variables.append("HOSTNAME=\(hostname ?? spec.hostname ?? ContainerSpec.defaultHostname)") }
        variables.append("HOME=\(identity.home)")
        if spec.hasTerminal { variables.append("TERM=xterm") }
        return StringBlock(merge(spec.environment, over: variables))
    }

    /// Of two variables with one name the later counts and takes the earlier one's place.
    static func merge(_ upper: [String], over lower: [String]) -> [String] {
        var order: [Substring] = []
        var values: [Substring: String] = [:]
        for variable in lower + upper {
            let name = variable.prefix { $0 != "=" }
            if values.updateValue(variable, forKey: name) == nil { order.append(name) }
        }
        return order.map { values[$0]! }
    }
}
