import CKernel

/// Mount namespaces, mount_namespaces(7).
package enum MountNamespace {
    /// Does something on a thread of its own inside the mount namespace of another process, and returns what it returns.
    ///
    /// The thread ends with it: it has left the working directory and root that the others share (CLONE_FS), without which
    /// setns(2) refuses.
    /// - Throws: what `body` throws; ESRCH or EACCES when there is no such process, or it may not be looked into.
    package static func visit<Value: Sendable>(
        of pid: Int32, _ body: @escaping @Sendable () throws(SystemError) -> Value
    ) async throws(SystemError) -> Value {
        let result = await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<Value, SystemError>, Never>) in
            do throws(SystemError) {
                try HelperThread.start("forkless-mounts") {
                    continuation.resume(
                        returning: Result { () throws(SystemError) in
                            let namespace = try Files.open("/proc/\(pid)/ns/mnt", O_RDONLY)
                            try call("leave the shared working directory") { ck_unshare(leaveShared) }
                            try CurrentProcess.join(namespace.raw, .mount)
                            return try body()
                        })
                }
            } catch { continuation.resume(returning: .failure(error)) }
        }
        return try result.get()
    }

    /// CLONE_FS
    private static let leaveShared: CInt = 0x200
}

extension Mounts {
    /// A detached tmpfs of at most so many bytes.
    ///
    /// - Parameter mode: of its root, octal: "1777".
    package static func memoryFileSystem(bytes: Int, mode: String) throws(SystemError) -> OwnedFD {
        try make("tmpfs", [("mode", mode), ("size", "\(bytes)")], attributes: [.noSetuid, .noDevices])
    }

    /// A detached copy of what an open file or directory is, with everything mounted below it.
    package static func copy(of fd: CInt, name: String) throws(SystemError) -> OwnedFD {
        try copyTree(of: fd, name: name, attributes: [])
    }
}
