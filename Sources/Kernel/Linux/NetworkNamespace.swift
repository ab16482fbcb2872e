import CKernel

/// Network namespaces, network_namespaces(7).
package enum NetworkNamespace {
    /// The calling thread's own.
    package static func current() throws(SystemError) -> SharedFD {
        SharedFD(try Files.open("/proc/thread-self/ns/net", O_RDONLY))
    }

    /// That of another process.
    package static func of(pid: Int32) throws(SystemError) -> SharedFD {
        SharedFD(try Files.open("/proc/\(pid)/ns/net", O_RDONLY))
    }

    /// A new one with nothing but a loopback interface, which is down. It lives as long as something holds it.
    package static func make() throws(SystemError) -> SharedFD {
        let own = try current()
        try call("make a network namespace") { ck_unshare(CInt(truncatingIfNeeded: Namespaces.network.rawValue)) }
        defer { comeBack(to: own) }
        return try current()
    }

    /// Does something on this thread inside another namespace: sockets made there stay there.
    package static func visit<Value>(
        _ namespace: SharedFD, _ body: () throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        let own = try current()
        try withExtendedLifetime(namespace) { () throws(SystemError) in
            try CurrentProcess.join(namespace.raw, .network)
        }
        defer { comeBack(to: own) }
        return try body()
    }

    private static func comeBack(to own: SharedFD) {
        // To go on in a stranger's network would be worse than to end.
        do { try CurrentProcess.join(own.raw, .network) } catch { preconditionFailure("\(error)") }
        withExtendedLifetime(own) {}
    }

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
