import CKernel

/// When a file was changed: seconds since 1970, which may be negative, and nanoseconds (0..<1,000,000,000).
package struct FileTime: Hashable, Comparable, Sendable {
    package var seconds: Int
    package var nanoseconds: Int

    package init(seconds: Int, nanoseconds: Int = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static func < (one: FileTime, other: FileTime) -> Bool {
        (one.seconds, one.nanoseconds) < (other.seconds, other.nanoseconds)
    }

    var timespec: timespec { CKernel.timespec(tv_sec: seconds, tv_nsec: nanoseconds) }
}

/// What an archive keeps of a file beside what `FileStatus` tells.
package struct EntryStatus: Hashable, Sendable {
    package var file: FileStatus
    /// How many names it has.
    package var links: UInt64
    package var modified: FileTime
    /// What it takes on the disk, in bytes: less than its length where it has holes.
    package var allocatedBytes: Int

    /// Which device a device file is.
    package var deviceMajor: UInt32 { ck_major(dev_t(file.deviceNumber)) }
    package var deviceMinor: UInt32 { ck_minor(dev_t(file.deviceNumber)) }
}

/// Making and describing the entries of a directory by its descriptor and one name. Nothing here follows a symbolic
/// link that has this name; a name with a slash would be resolved by the kernel, so callers pass none.
package enum FileEntries {
    /// What is at `name`, itself when it is a link, fstatat(2).
    package static func status(_ name: String, at directory: CInt) throws(SystemError) -> EntryStatus {
        var found = stat()
        try call("stat", name) { ck_fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) }
        return EntryStatus(found)
    }

    /// What an open file is, fstat(2).
    package static func status(of fd: CInt, name: String = "") throws(SystemError) -> EntryStatus {
        var found = stat()
        try call("stat", name) { ck_fstat(fd, &found) }
        return EntryStatus(found)
    }

    /// Gives the file that `name` is another name; a link is named itself, linkat(2).
    package static func link(_ name: String, at directory: CInt, to new: String, at newDirectory: CInt) throws(SystemError) {
        try call("link \(name) to", new) { ck_linkat(directory, name, newDirectory, new) }
    }

    /// Makes a symbolic link; `target` is not looked at, symlinkat(2).
    package static func makeLink(to target: String, named name: String, at directory: CInt) throws(SystemError) {
        try call("make symbolic link", name) { ck_symlinkat(target, directory, name) }
    }

    /// Makes a pipe with a name, mknod(2).
    package static func makePipe(_ name: String, at directory: CInt) throws(SystemError) {
        try call("make pipe", name) { ck_mknodat(directory, name, UInt32(S_IFIFO) | 0o600, 0) }
    }

    /// Makes a device file, mknod(2). Major and minor 0 of a character device is overlayfs' whiteout.
    ///
    /// - Parameter mode: less the umask and what access control lists of the directory say.
    package static func makeDevice(
        _ name: String, at directory: CInt, block: Bool, major: UInt32, minor: UInt32, mode: UInt32 = 0o600
    ) throws(SystemError) {
        let kind = UInt32(block ? S_IFBLK : S_IFCHR)
        try call("make device", name) { ck_mknodat(directory, name, kind | mode & 0o7777, ck_makedev(major, minor)) }
    }

    /// Exchanges two entries at once, renameat2(2).
    package static func exchange(_ one: String, _ other: String, at directory: CInt) throws(SystemError) {
        try call("exchange \(one) and", other) { ck_exchange(directory, one, other) }
    }

    /// Removes one name that is no directory, unlink(2).
    package static func remove(_ name: String, at directory: CInt) throws(SystemError) {
        try call("remove", name) { ck_unlinkat(directory, name, 0) }
    }

    package static func setOwner(_ owner: UInt32, _ group: UInt32, of fd: CInt, name: String) throws(SystemError) {
        try call("set the owner of", name) { ck_fchown(fd, owner, group) }
    }

    package static func setOwner(
        _ owner: UInt32, _ group: UInt32, of name: String, at directory: CInt
    ) throws(SystemError) {
        try call("set the owner of", name) { ck_fchownat_itself(directory, name, owner, group) }
    }

    package static func setMode(_ mode: UInt32, of fd: CInt, name: String) throws(SystemError) {
        try call("set the mode of", name) { ck_fchmod(fd, mode) }
    }

    /// For what is no link: the mode of a link cannot be set (EOPNOTSUPP).
    package static func setMode(_ mode: UInt32, of name: String, at directory: CInt) throws(SystemError) {
        try call("set the mode of", name) { ck_fchmodat_itself(directory, name, mode) }
    }

    /// Sets the times of last access and change, futimens(3).
    package static func setTime(_ time: FileTime, of fd: CInt, name: String) throws(SystemError) {
        let times = [time.timespec, time.timespec]
        try call("set the time of", name) { ck_futimens(fd, times) }
    }

    package static func setTime(_ time: FileTime, of name: String, at directory: CInt) throws(SystemError) {
        let times = [time.timespec, time.timespec]
        try call("set the time of", name) { ck_utimens_itself(directory, name, times) }
    }

    /// Writes every byte from `offset` on, pwrite(2); what lies before it and was never written is a hole.
    package static func write(
        _ bytes: UnsafeRawBufferPointer, to fd: CInt, at offset: Int, name: String
    ) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            done += try call("write", name) {
                ck_pwrite(fd, bytes.baseAddress! + done, bytes.count - done, offset + done)
            }
        }
    }

    /// The first range of bytes from `offset` on that is no hole; nil when only a hole follows, lseek(2).
    package static func data(of fd: CInt, from offset: Int, name: String) throws(SystemError) -> Range<Int>? {
        do {
            let start = try call("seek", name) { ck_next_data(fd, offset) }
            return start..<(try call("seek", name) { ck_next_hole(fd, off_t(start)) })
        } catch {
            guard error.code == .noDevice else { throw error }
            return nil
        }
    }
}

/// Extended attributes of an open file or directory, xattr(7).
package enum ExtendedAttributes {
    /// - Throws: `SystemError`; EOPNOTSUPP where the file system keeps none of this kind, EPERM where this process may not.
    package static func set(_ name: String, _ value: [UInt8], of fd: CInt, file: String) throws(SystemError) {
        try call("set attribute \(name) of", file) { value.withUnsafeBytes { ck_fsetxattr(fd, name, $0.baseAddress, $0.count) } }
    }

    /// nil when there is none of this name.
    package static func value(_ name: String, of fd: CInt, file: String) throws(SystemError) -> [UInt8]? {
        // XATTR_SIZE_MAX (linux/limits.h): no value is longer.
        var room = [UInt8](repeating: 0, count: 256)
        while true {
            let count = room.withUnsafeMutableBytes { ck_fgetxattr(fd, name, $0.baseAddress, $0.count) }
            if count >= 0 { return Array(room[..<count]) }
            switch Errno(CInt(-count)) {
            case Errno(ENODATA), .notSupported: return nil
            case Errno(ERANGE) where room.count < 65536: room = [UInt8](repeating: 0, count: 65536)
            case let code: throw SystemError("read attribute \(name) of", file, code: code)
            }
        }
    }

    /// Every name, in the order of their bytes.
    package static func names(of fd: CInt, file: String) throws(SystemError) -> [String] {
        var room = [UInt8](repeating: 0, count: 1024)
        while true {
            let count = room.withUnsafeMutableBytes {
                ck_flistxattr(fd, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
            }
            if count >= 0 {
                return room[..<count].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.sorted()
            }
            switch Errno(CInt(-count)) {
            case .notSupported: return []
            // XATTR_LIST_MAX is 64 KiB.
            case Errno(ERANGE) where room.count < 65536: room = [UInt8](repeating: 0, count: 65536)
            case let code: throw SystemError("list the attributes of", file, code: code)
            }
        }
    }
}

extension EntryStatus {
    fileprivate init(_ status: stat) {
        file = FileStatus(status)
        links = UInt64(status.st_nlink)
        modified = FileTime(seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
        // In units of 512 bytes whatever the file system's blocks are, inode(7).
        allocatedBytes = Int(status.st_blocks) * 512
    }
}

extension FileStatus {
    /// The two halves of the number of the device that the file is on.
    package var deviceMajor: UInt32 { ck_major(dev_t(device)) }
    package var deviceMinor: UInt32 { ck_minor(dev_t(device)) }
}
