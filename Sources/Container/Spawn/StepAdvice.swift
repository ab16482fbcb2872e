import Linux

/// What a user can do about a step that failed.
extension Step {
    /// Empty when there is nothing to say beyond the error's own words.
    func advice(on code: Errno) -> String {
        switch (self, code) {
        case (.groups, .notPermitted), (.gid, .notPermitted), (.uid, .notPermitted):
            "Only root, or who has CAP_SETUID and CAP_SETGID, becomes another user."
        case (.gid, .invalid), (.uid, .invalid): "This user namespace has no such id."
        case (.uid, .again): "The user has as many processes as their limit allows."
        case (.limit, .notPermitted):
            "Only root, or who has CAP_SYS_RESOURCE, raises a limit above the hard one in force."
        case (.limit(let limit), .invalid): "The kernel does not allow this value for \(limit.resource)."
        case (.priority, .accessDenied), (.priority, .notPermitted), (.scheduler, .notPermitted):
            "Only root, or who has CAP_SYS_NICE, moves ahead of others; see also the limits nice and realTimePriority."
        case (.affinity, .invalid): "None of these processors is online and allowed here."
        case (.setProcessGroup, .notPermitted), (.setProcessGroup, .noProcess):
            "There is no such group in this session."
        case (.moveUp, .badDescriptor), (.duplicate, .badDescriptor): "It is not open in this process."
        case (.moveUp, .tooManyOpenFiles), (.moveUp, .invalid), (.duplicate, .tooManyOpenFiles):
            "The limit on open files of this process is too low for it."
        case (.changeDirectoryInside, .tooManyLinks):
            "A link of /proc to a descriptor or a root is no way to a working directory."
        case (.deathSignal, .noProcess): "The parent ended during the start."
        default: ""
        }
    }
}
