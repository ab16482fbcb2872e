import CSpawn
import Linux

/// Turns steps into the records of `cspawn.h`; bytes and texts go into one arena.
struct StepEncoder {
    private(set) var arena: [UInt8] = []

    mutating func encode(_ step: Step) -> cspawn_step {
        switch step {
        case .unshareFiles, .duplicate, .moveUp, .closeFrom, .open, .openAt, .close, .write: descriptors(step)
        case .changeDirectory, .changeDirectoryInside, .changeDirectoryTo, .makeDirectory, .symbolicLink, .makeNode: files(step)
        case .joinNamespaces, .unshare, .hostname, .domainName, .loopbackUp, .changeRoot, .mount, .unmount, .newFileSystem, .fileSystemOption,
            .fileSystemMount, .openTree, .moveMount, .mountAttributes, .pivotRoot, .maskPath, .readOnlyPath:
            mounts(step)
        case .park(let socket, let first, let count): record(CSPAWN_PARK, socket.value, first.value, Int64(count))
        case .tell(let socket, let with): record(CSPAWN_TELL, socket.value, with?.value ?? -1)
        case .reportTo(let slot): record(CSPAWN_REPORT_TO, slot.value)
        case .awaitWord(let slot): record(CSPAWN_AWAIT_WORD, slot.value)
        case .checkProgram: record(CSPAWN_CHECK_PROGRAM)
        case .awaitGo: record(CSPAWN_AWAIT_GO)
        case .execute(let slot): record(CSPAWN_EXEC, slot?.value ?? -1)
        default: identity(step)
        }
    }

    private mutating func descriptors(_ step: Step) -> cspawn_step {
        switch step {
        case .unshareFiles(let lowest): return record(CSPAWN_UNSHARE_FILES, Int64(lowest))
        case .duplicate(let slot, let to): return record(CSPAWN_DUP, slot.value, Int64(to))
        case .moveUp(let slot, let lowest): return record(CSPAWN_MOVE_UP, slot.value, Int64(lowest))
        case .closeFrom(let first): return record(CSPAWN_CLOSE_FROM, Int64(first))
        case .open(let path, let flags, let mode, let into):
            return record(CSPAWN_OPEN, Int64(flags), Int64(mode), into.value, text: path)
        case .openAt(let directory, let path, let flags, let resolve, let into):
            return record(
                CSPAWN_OPEN_AT, directory?.value ?? -1, Int64(UInt32(bitPattern: flags)), into.value,
                Int64(bitPattern: resolve), text: path)
        case .close(let slot): return record(CSPAWN_CLOSE, slot.value)
        case .write(let bytes, let slot, _): return record(CSPAWN_WRITE, slot.value, bytes: bytes)
        default: preconditionFailure("not a descriptor step: \(step)")
        }
    }

    private mutating func identity(_ step: Step) -> cspawn_step {
        switch step {
        case .setSession: return record(CSPAWN_SET_SESSION)
        case .setProcessGroup(let group): return record(CSPAWN_SET_GROUP, Int64(group))
        case .controllingTerminal(let slot): return record(CSPAWN_CONTROLLING_TERMINAL, slot.value)
        case .umask(let mask): return record(CSPAWN_UMASK, Int64(mask))
        case .limit(let limit):
            return record(
                CSPAWN_LIMIT, Int64(limit.resource.rawValue), Int64(bitPattern: limit.soft ?? .max),
                Int64(bitPattern: limit.hard ?? .max))
        case .priority(let nice): return record(CSPAWN_PRIORITY, Int64(nice))
        case .affinity(let mask): return record(CSPAWN_AFFINITY, bytes: mask)
        case .allProcessors: return record(CSPAWN_ALL_PROCESSORS)
        case .giveStreams(let user): return record(CSPAWN_GIVE_STREAMS, Int64(user))
        case .scheduler(let policy, let priority): return record(CSPAWN_SCHEDULER, Int64(policy), Int64(priority))
        case .deathSignal(let number, let parent): return record(CSPAWN_DEATH_SIGNAL, Int64(number), Int64(parent))
        case .groups(let groups):
            align(4)
            var step = record(CSPAWN_GROUPS, bytes: groups.flatMap { gid in withUnsafeBytes(of: gid) { Array($0) } })
            step.s1 = UInt32(groups.count)
            return step
        case .gid(let gid): return record(CSPAWN_GID, Int64(gid))
        case .uid(let uid): return record(CSPAWN_UID, Int64(uid))
        case .keepCapabilities(let keep): return record(CSPAWN_KEEP_CAPABILITIES, keep ? 1 : 0)
        case .dropBounding(let keep, let last): return record(CSPAWN_DROP_BOUNDING, bits(keep), Int64(last))
        case .capabilities(let effective, let permitted, let inheritable):
            return record(CSPAWN_CAPABILITIES, bits(effective), bits(permitted), bits(inheritable))
        case .ambient(let set): return record(CSPAWN_AMBIENT, bits(set))
        case .noNewPrivileges: return record(CSPAWN_NO_NEW_PRIVILEGES)
        case .seccomp(let filter, let flags):
            align(8)
            var step = record(CSPAWN_SECCOMP, Int64(flags), bytes: filter)
            step.s1 = UInt32(filter.count / 8)
            return step
        case .seccompListening(let filter, let flags, let into):
            align(8)
            var step = record(CSPAWN_SECCOMP_LISTENER, Int64(flags), bytes: filter)
            step.s1 = UInt32(filter.count / 8)
            step.b = into.value
            return step
        case .memoryPolicy(let mode, let nodes):
            align(8)
            return record(CSPAWN_MEMORY_POLICY, Int64(mode), bytes: nodes)
        case .dumpable(let dumpable): return record(CSPAWN_DUMPABLE, dumpable ? 1 : 0)
        case .signalsToDefault(let mask, let ignored):
            return record(CSPAWN_SIGNALS_DEFAULT, Int64(bitPattern: mask), Int64(bitPattern: ignored))
        case .signalMask(let mask): return record(CSPAWN_SIGNAL_MASK, Int64(bitPattern: mask))
        case .newKeyring: return record(CSPAWN_NEW_KEYRING)
        case .personality(let domain): return record(CSPAWN_PERSONALITY, Int64(domain))
        case .ioPriority(let priority): return record(CSPAWN_IO_PRIORITY, Int64(priority))
        case .scheduling(let attributes):
            align(8)
            return record(CSPAWN_SCHEDULING, bytes: attributes)
        default: preconditionFailure("not a step of identity or limits: \(step)")
        }
    }

    private mutating func files(_ step: Step) -> cspawn_step {
        switch step {
        case .changeDirectory(let path):
            var step = record(CSPAWN_CHDIR, text: path)
            if path == nil { step.flags |= UInt32(CSPAWN_PATH_FROM_LAUNCH) }
            return step
        case .changeDirectoryInside(let path):
            var step = record(CSPAWN_CHDIR, text: path)
            step.flags |= UInt32(CSPAWN_NO_MAGIC_LINKS)
            if path == nil { step.flags |= UInt32(CSPAWN_PATH_FROM_LAUNCH) }
            return step
        case .changeDirectoryTo(let slot): return record(CSPAWN_FCHDIR, slot.value)
        case .makeDirectory(let slot, let path, let mode):
            return record(CSPAWN_MKDIR, slot?.value ?? -1, Int64(mode), text: path)
        case .symbolicLink(let slot, let path, let target):
            return record(CSPAWN_SYMLINK, slot?.value ?? -1, text: target, path)
        case .makeNode(let slot, let path, let mode, let device):
            return record(CSPAWN_MKNOD, slot?.value ?? -1, Int64(mode), Int64(bitPattern: device), text: path)
        default: preconditionFailure("not a step on files: \(step)")
        }
    }

    private mutating func mounts(_ step: Step) -> cspawn_step {
        switch step {
        case .joinNamespaces(let slot, let flags, let optional):
            var step = record(CSPAWN_SET_NAMESPACE, slot.value, Int64(flags))
            if optional { step.flags |= UInt32(CSPAWN_SKIP_IF_NO_SLOT) }
            return step
        case .unshare(let flags): return record(CSPAWN_UNSHARE, Int64(flags))
        case .hostname(let name?): return record(CSPAWN_HOSTNAME, bytes: Array(name.utf8))
        case .hostname(nil):
            var step = record(CSPAWN_HOSTNAME)
            step.flags |= UInt32(CSPAWN_NAME_FROM_LAUNCH)
            return step
        case .domainName(let name): return record(CSPAWN_DOMAIN_NAME, bytes: Array(name.utf8))
        case .loopbackUp: return record(CSPAWN_LOOPBACK_UP)
        case .mount(let source, let target, let type, let flags, let options):
            var step = record(CSPAWN_MOUNT, Int64(flags), text: source, target)
            step.s2 = place(type)
            step.s3 = options.isEmpty ? CSPAWN_NONE : place(options)
            return step
        case .unmount(let path, let flags): return record(CSPAWN_UNMOUNT, Int64(flags), text: path)
        case .newFileSystem(let type, let into): return record(CSPAWN_NEW_FILE_SYSTEM, into.value, text: type)
        case .fileSystemOption(let slot, let key, let value):
            return record(CSPAWN_FILE_SYSTEM_OPTION, slot.value, text: key, value)
        case .fileSystemMount(let slot, let into, let attributes):
            return record(CSPAWN_FILE_SYSTEM_MOUNT, slot.value, into.value, Int64(attributes))
        case .openTree(let slot, let path, let flags, let into):
            return record(CSPAWN_OPEN_TREE, slot?.value ?? -1, Int64(flags), into.value, text: path)
        case .moveMount(let mount, let to, let path):
            return record(CSPAWN_MOVE_MOUNT, mount.value, to?.value ?? -1, text: path)
        case .mountAttributes(let slot, let path, let set, let clear, let flags, let propagation):
            return record(
                CSPAWN_MOUNT_ATTRIBUTES, slot?.value ?? -1, Int64(bitPattern: set), Int64(bitPattern: clear),
                Int64(flags) | Int64(propagation) << 32, text: path)
        case .pivotRoot(let slot): return record(CSPAWN_PIVOT_ROOT, slot.value)
        case .changeRoot(let slot): return record(CSPAWN_CHANGE_ROOT, slot.value)
        case .maskPath(let path, let directory, let file):
            return record(CSPAWN_MASK_PATH, directory.value, file.value, text: path)
        case .readOnlyPath(let path): return record(CSPAWN_READ_ONLY_PATH, text: path)
        default: preconditionFailure("not a step on namespaces or mounts: \(step)")
        }
    }

    // Records and the arena.

    private func record(
        _ operation: cspawn_op, _ a: Int64 = 0, _ b: Int64 = 0, _ c: Int64 = 0, _ d: Int64 = 0
    ) -> cspawn_step {
        cspawn_step(
            op: operation.rawValue, flags: 0, a: a, b: b, c: c, d: d, s0: CSPAWN_NONE, s1: CSPAWN_NONE,
            s2: CSPAWN_NONE, s3: CSPAWN_NONE)
    }

    private mutating func record(
        _ operation: cspawn_op, _ a: Int64 = 0, _ b: Int64 = 0, _ c: Int64 = 0, _ d: Int64 = 0, text first: String?,
        _ second: String? = nil
    ) -> cspawn_step {
        var step = record(operation, a, b, c, d)
        if let first { step.s0 = place(first) }
        if let second { step.s1 = place(second) }
        return step
    }

    private mutating func record(_ operation: cspawn_op, _ a: Int64 = 0, bytes: [UInt8]) -> cspawn_step {
        var step = record(operation, a)
        step.s0 = UInt32(arena.count)
        step.s1 = UInt32(bytes.count)
        arena += bytes
        return step
    }

    private mutating func place(_ text: String) -> UInt32 {
        precondition(!text.utf8.contains(0), "a text for the kernel holds no NUL; check input before compiling")
        let at = UInt32(arena.count)
        arena += text.utf8
        arena.append(0)
        return at
    }

    private mutating func align(_ boundary: Int) {
        while arena.count % boundary != 0 { arena.append(0) }
    }

    private func bits(_ set: Capabilities) -> Int64 { Int64(bitPattern: set.rawValue) }
}

extension Slot {
    fileprivate var value: Int64 { Int64(index) }
}
