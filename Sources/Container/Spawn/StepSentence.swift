import Linux

/// What a step does, in the words of an error message.
extension Step {
    /// "mount proc on /proc": what was tried and on what.
    package var sentence: String {
        switch self {
        case .unshareFiles: "give the child its own descriptors"
        case .duplicate(_, let to): "put a descriptor in place as \(to)"
        case .moveUp: "move a descriptor out of the way"
        case .closeFrom(let first): "close descriptors from \(first) up"
        case .open(let path, _, _, _), .openAt(_, let path, _, _, _): "open \(path)"
        case .close: "close a descriptor"
        case .write(_, _, let meaning): "write \(meaning)"
        case .setSession: "start a session"
        case .setProcessGroup(let group): group == 0 ? "start a process group" : "join process group \(group)"
        case .controllingTerminal: "take the controlling terminal"
        case .umask: "set the umask"
        case .limit(let limit): "set the limit \(limit)"
        case .priority(let nice): "set the priority to nice \(nice)"
        case .affinity: "set the CPU affinity"
        case .allProcessors: "use all processors"
        case .scheduler: "set the scheduler"
        case .deathSignal: "tie the program to its parent"
        case .giveStreams(let user): "give the standard streams to user \(user)"
        case .groups(let groups): "set the supplementary groups \(groups)"
        case .gid(let gid): "become group \(gid)"
        case .uid(let uid): "become user \(uid)"
        case .keepCapabilities: "keep capabilities across the change of user"
        case .dropBounding: "drop capabilities from the bounding set"
        case .capabilities: "set the capabilities"
        case .ambient(let set): "raise the ambient capabilities \(set.memberNames.joined(separator: ", "))"
        case .noNewPrivileges: "forbid new privileges"
        case .memoryPolicy: "set the memory policy"
        case .seccomp(let filter, _), .seccompListening(let filter, _, _): "load the system-call filter (\(filter.count / 8) instructions)"
        case .dumpable: "set the dumpable flag"
        case .signalsToDefault: "reset signal handlers"
        case .signalMask: "set the signal mask"
        case .newKeyring: "join a new session keyring"
        case .personality(let domain): "set the personality \(domain)"
        case .ioPriority(let priority): "set the I/O priority to class \(priority >> 13), level \(priority & 0x1fff)"
        case .scheduling: "set the scheduler"
        case .changeDirectory(let path): path.map { "change directory to \($0)" } ?? "change to the working directory"
        case .changeDirectoryInside(let path):
            path.map { "change directory to \($0)" } ?? "change to the working directory"
        case .changeDirectoryTo: "change to the working directory"
        case .makeDirectory(_, let path, _): "make directory \(path)"
        case .symbolicLink(_, let path, let target): "make the link \(path) to \(target)"
        case .makeNode(_, let path, _, _): "make the device \(path)"
        case .joinNamespaces(_, let flags, _): "join \(Self.namespaces(flags))"
        case .unshare(let flags): "make \(Self.namespaces(flags))"
        case .hostname(let name): name.map { "set the host name to \"\($0)\"" } ?? "set the host name of the call"
        case .domainName(let name): "set the domain name to \"\(name)\""
        case .loopbackUp: "bring the loopback interface up"
        case .mount(_, let target, let type, _, _): "mount \(type.isEmpty ? "" : type + " ")on \(target)"
        case .unmount(let path, _): "unmount \(path)"
        case .newFileSystem(let type, _): "prepare a \(type) file system"
        case .fileSystemOption(_, let key, let value): "set the mount option \(key)\(value.map { "=\($0)" } ?? "")"
        case .fileSystemMount: "make the file system"
        case .openTree(_, let path, _, _): "take the mount tree of \(path.isEmpty ? "the prepared root" : path)"
        case .moveMount(_, _, let path): "mount on \(path.isEmpty ? "the prepared place" : path)"
        case .mountAttributes(_, let path, _, _, _, _):
            "change the mount attributes of \(path.isEmpty ? "the root" : path)"
        case .pivotRoot, .changeRoot: "switch to the new root"
        case .maskPath(let path, _, _): "mask \(path)"
        case .readOnlyPath(let path): "make \(path) read-only"
        case .park: "wait for the call"
        case .tell: "report to the parent"
        case .reportTo: "set where failures are reported"
        case .awaitWord: "wait for the start"
        case .checkProgram: "look at the program"
        case .awaitGo: "wait for the identity maps"
        case .execute: "execute"
        }
    }

    private static func namespaces(_ flags: Int32) -> String {
        let kinds = Namespaces(rawValue: UInt64(UInt32(bitPattern: flags)))
        return "the \(kinds.names) namespace\(kinds.rawValue.nonzeroBitCount == 1 ? "" : "s")"
    }
}

extension ResourceLimit: CustomStringConvertible {
    /// "openFiles 1024:4096", soft and hard.
    public var description: String {
        func text(_ value: UInt64?) -> String { value.map(String.init) ?? "unlimited" }
        return "\(resource) \(text(soft)):\(text(hard))"
    }
}
