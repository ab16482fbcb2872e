// Extensions of an instance, Extensions API 2020-01-01: programs of /opt/extensions (external) and libraries in the
// runtime's own process (internal), which register under a name and poll for events.

/// One registration, as the request has it.
package struct Registration: Hashable, Sendable {
    /// `Lambda-Extension-Name`: for an external extension the name of its file.
    package var name: String
    package var wantsInvoke: Bool
    package var wantsShutdown: Bool
    /// Random, by the worker.
    package var id: String

    package init(name: String, wantsInvoke: Bool, wantsShutdown: Bool, id: String) {
        self.name = name
        self.wantsInvoke = wantsInvoke
        self.wantsShutdown = wantsShutdown
        self.id = id
    }
}

extension RuntimeSession {
    /// Most extensions of a function.
    package static let extensionLimit = 10

    struct Extension: Sendable {
        var registration: Registration
        var isExternal: Bool
        /// Its waiting request for an event.
        var poll: Exchange?
        var hasPolled = false
        /// It was told of something and has not polled since.
        var isBusy = false
        /// A call that it is to be told of at its next poll.
        var pending: String?
        var wasToldOfEnd = false
    }

    /// Whether somebody has to be told of the end, and which kind: decides how long the end may take.
    package var shutdownAudience: (internals: Int, externals: Int) {
        (extensions.count { !$0.isExternal && $0.registration.wantsShutdown }, extensions.count(where: \.isExternal))
    }

    var hasBusyExtensions: Bool { extensions.contains { $0.registration.wantsInvoke && ($0.isBusy || $0.pending != nil) } }

    mutating func register(_ exchange: Exchange, _ registration: Registration) -> [Action] {
        guard phase == .initializing, !hasRuntimePolled || expected.contains(registration.name) else {
            return [.refuse(exchange, Refusal(403, "Extension.RegistrationClosed", "Extensions register before initialisation is over"))]
        }
        guard !extensions.contains(where: { $0.registration.name == registration.name }) else {
            return [.refuse(exchange, Refusal(403, "Extension.AlreadyRegistered", "\(registration.name) has registered"))]
        }
        guard extensions.count < Self.extensionLimit else {
            return [.refuse(exchange, Refusal(403, "Extension.TooManyExtensions", "A function has at most \(Self.extensionLimit) extensions"))]
        }
        guard concurrency == 1 || !registration.wantsInvoke else {
            return [.refuse(exchange, Refusal(400, "Extension.InvalidEventType", "INVOKE is not told where several calls run at once"))]
        }
        let isExternal = expected.remove(registration.name) != nil
        guard isExternal || !(registration.wantsShutdown) else {
            return [.refuse(exchange, Refusal(400, "Extension.InvalidEventType", "SHUTDOWN is told to external extensions only"))]
        }
        // It counts as polled only when it waits: until then initialisation goes on.
        extensions.append(Extension(registration: registration, isExternal: isExternal))
        return [.registered(exchange, id: registration.id, name: registration.name)]
    }

    mutating func extensionNext(_ exchange: Exchange, _ id: String?) -> [Action] {
        guard let id else { return [.refuse(exchange, .missingExtensionID)] }
        guard let index = extensions.firstIndex(where: { $0.registration.id == id }) else {
            return [.refuse(exchange, .unknownExtension)]
        }
        guard phase != .ended else { return [.refuse(exchange, .invalidState("event/next", in: "ended"))] }
        var actions: [Action] = []
        if let former = extensions[index].poll { actions.append(.refuse(former, .invalidState("event/next", in: "polled again"))) }
        extensions[index].poll = exchange
        extensions[index].hasPolled = true
        extensions[index].isBusy = false
        if phase == .shuttingDown {
            if extensions[index].wasToldOfEnd {
                // It is through with the end and waits for what never comes.
                return actions + extensionsDoneIfSo()
            }
            return actions + tellEnd(index)
        }
        if let pending = extensions[index].pending {
            extensions[index].pending = nil
            actions += tell(index, pending)
        }
        actions += initializedIfSo()
        if isSettling, !hasBusyExtensions { actions += freeIfSettled() }
        return actions
    }

    mutating func extensionError(_ exchange: Exchange, _ id: String?, isInit: Bool, _ type: String?) -> [Action] {
        guard let id else { return [.refuse(exchange, .missingExtensionID)] }
        guard let found = extensions.first(where: { $0.registration.id == id }) else {
            return [.refuse(exchange, .unknownExtension)]
        }
        guard type != nil else { return [.refuse(exchange, .missingErrorType)] }
        guard phase != .ended, !isInit || phase == .initializing else {
            return [.refuse(exchange, .invalidState(isInit ? "init/error" : "exit/error", in: "\(phase)"))]
        }
        let name = found.registration.name
        return [.confirm(exchange), .extensionFailed(errorType: isInit ? "Extension.InitError" : "Extension.ExitError", name: name)]
    }

    /// One that has ended while the instance does need not be waited for.
    mutating func extensionLeft(_ name: String) -> [Action] {
        extensions.removeAll { $0.registration.name == name }
        return phase == .shuttingDown ? extensionsDoneIfSo() : []
    }

    /// Tells whoever wants to hear of a call.
    mutating func tellExtensions(of id: String) -> [Action] {
        guard !extensions.isEmpty else { return [] }
        var actions: [Action] = []
        for index in extensions.indices where extensions[index].registration.wantsInvoke {
            if extensions[index].poll == nil { extensions[index].pending = id } else { actions += tell(index, id) }
        }
        return actions
    }

    private mutating func tell(_ index: Int, _ id: String) -> [Action] {
        guard let poll = extensions[index].poll else { preconditionFailure("an extension that waits is told") }
        extensions[index].poll = nil
        extensions[index].isBusy = true
        return [.tellInvoke(poll, requestID: id)]
    }

    /// The end begins: no call is taken any more, and whoever wants to hear of it is told.
    mutating func shutDown() -> [Action] {
        guard phase == .initializing || phase == .serving else { return [] }
        phase = .shuttingDown
        var actions: [Action] = []
        for index in extensions.indices where extensions[index].poll != nil { actions += tellEnd(index) }
        return actions + extensionsDoneIfSo()
    }

    private mutating func tellEnd(_ index: Int) -> [Action] {
        guard extensions[index].registration.wantsShutdown, let poll = extensions[index].poll else {
            extensions[index].wasToldOfEnd = true
            return extensionsDoneIfSo()
        }
        extensions[index].poll = nil
        extensions[index].wasToldOfEnd = true
        extensions[index].isBusy = true
        return [.tellShutdown(poll)]
    }

    private func extensionsDoneIfSo() -> [Action] {
        let waitsForOne = extensions.contains {
            $0.registration.wantsShutdown && (!$0.wasToldOfEnd || $0.isBusy)
        }
        return waitsForOne ? [] : [.extensionsDone]
    }
}

extension Refusal {
    static let missingExtensionID = Refusal(
        403, "Extension.MissingExtensionIdentifier", "The header Lambda-Extension-Identifier is missing")
    static let unknownExtension = Refusal(403, "Extension.UnknownExtensionIdentifier", "No extension has this identifier")
    static let missingErrorType = Refusal(
        403, "Extension.MissingHeader", "The header Lambda-Extension-Function-Error-Type is missing")
}
