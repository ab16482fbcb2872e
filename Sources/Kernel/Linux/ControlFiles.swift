import CKernel

extension Files {
    /// What one read(2) of a control file returns: the kernel answers small ones whole, and a second read to see
    /// their end would double the cost of every figure.
    ///
    /// - Throws: `SystemError`; EMSGSIZE when the file fills the 4,096 bytes that are read.
    package static func readControl(_ path: String, at directory: CInt = here) throws(SystemError) -> [UInt8] {
        let fd = try open(path, O_RDONLY, at: directory)
        let limit = 4096
        return try withUnsafeTemporaryAllocation(byteCount: limit, alignment: 8) { room throws(SystemError) in
            let count = try call("read", path) { ck_read(fd.raw, room.baseAddress!, limit) }
            guard count < limit else { throw SystemError("read", path, code: .messageTooLong) }
            return Array(room[..<count])
        }
    }
}
