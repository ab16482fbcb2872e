import CKernel

/// Network namespaces that have only their loopback interface, network_namespaces(7).
package enum NetworkNamespace {
    /// Whether no socket is left in it, not even one that waits out its last two minutes (TIME_WAIT): then it
    /// is as good as new for a program that could change nothing else in it.
    ///
    /// - Parameters:
    ///   - namespace: open /proc/PID/ns/net.
    ///   - own: this thread's own, to come back to.
    package static func isPristine(_ namespace: CInt, own: CInt) throws(SystemError) -> Bool {
        try CurrentProcess.join(namespace, .network)
        defer {
            // To go on in a stranger's network would be worse than to end.
            do { try CurrentProcess.join(own, .network) } catch { preconditionFailure("\(error)") }
        }
        guard hasNoSockets(try Files.readText("/proc/thread-self/net/sockstat")) else { return false }
        return hasNoSockets(try Files.readText("/proc/thread-self/net/sockstat6"))
    }

    /// Reads /proc/net/sockstat: every "inuse", "orphan" and "tw" is 0, but for the line on sockets of the process.
    package static func hasNoSockets(_ text: String) -> Bool {
        for line in text.split(separator: "\n") where !line.hasPrefix("sockets:") {
            let words = line.split(separator: " ")
            for (key, value) in zip(words, words.dropFirst()) where key == "inuse" || key == "orphan" || key == "tw" {
                if value != "0" { return false }
            }
        }
        return true
    }
}
