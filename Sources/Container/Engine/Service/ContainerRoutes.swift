import Linux

extension ContainerEngine {
    /// What of the local API the containers serve.
    package var routes: [NodeRoute] {
        lifeRoutes + changeRoutes + viewRoutes + networkRoutes + volumeRoutes + attachRoutes + copyRoutes
    }

    private var lifeRoutes: [NodeRoute] {
        [
            NodeRoute(RunContainer.self) { request, exchange async throws(NodeFailure) in
                try await self.run(request, descriptors: exchange.descriptors) { started, descriptors async throws(NodeFailure) in
                    try await exchange.send(started, descriptors: descriptors.map(\.raw))
                }
            },
            NodeRoute(FindImage.self) { request, _ async throws(NodeFailure) in self.findImage(request) },
            NodeRoute(CreateContainer.self) { request, _ async throws(NodeFailure) in try await self.create(request.spec) },
            NodeRoute(StartContainer.self) { request, _ async throws(NodeFailure) in
                try await self.start(request.container)
            },
            NodeRoute(WaitForContainer.self) { request, _ async throws(NodeFailure) in
                try await self.wait(for: request.container)
            },
            NodeRoute(StopContainer.self) { request, _ async throws(NodeFailure) in try await self.stop(request) },
            NodeRoute(KillContainer.self) { request, _ async throws(NodeFailure) in
                try await self.kill(request)
                return NoValue()
            },
            NodeRoute(RemoveContainer.self) { request, _ async throws(NodeFailure) in
                try await self.remove(request)
                return NoValue()
            },
            NodeRoute(ExecuteInContainer.self) { request, exchange async throws(NodeFailure) in
                try await self.execute(request, descriptors: exchange.descriptors) { started, descriptors async throws(NodeFailure) in
                    try await exchange.send(started, descriptors: descriptors.map(\.raw))
                }
            },
            NodeRoute(ResizeContainer.self) { request, _ async throws(NodeFailure) in
                try await self.resize(request)
                return NoValue()
            },
        ]
    }

    private var changeRoutes: [NodeRoute] {
        [
            NodeRoute(PauseContainer.self) { request, _ async throws(NodeFailure) in
                try await self.pause(request.container)
                return NoValue()
            },
            NodeRoute(ResumeContainer.self) { request, _ async throws(NodeFailure) in
                try await self.resume(request.container)
                return NoValue()
            },
            NodeRoute(RenameContainer.self) { request, _ async throws(NodeFailure) in
                try await self.rename(request)
                return NoValue()
            },
            NodeRoute(UpdateContainer.self) { request, _ async throws(NodeFailure) in
                try await self.update(request)
                return NoValue()
            },
            NodeRoute(TopContainer.self) { request, _ async throws(NodeFailure) in
                try await self.processes(of: request.container)
            },
            NodeRoute(PruneContainers.self) { request, _ async throws(NodeFailure) in try await self.prune(request) },
        ]
    }

    private var viewRoutes: [NodeRoute] {
        [
            NodeRoute(ReadEvents.self) { request, exchange async throws(NodeFailure) in
                try await self.journal.read(request) { event async throws(NodeFailure) in try await exchange.send(event) }
                return NoValue()
            },
            NodeRoute(ListContainers.self) { request, _ async throws(NodeFailure) in try await self.list(request) },
            NodeRoute(InspectContainer.self) { request, _ async throws(NodeFailure) in
                try self.inspect(request.container)
            },
            NodeRoute(ReadLogs.self) { request, exchange async throws(NodeFailure) in
                try await self.readLogs(request) { lines async throws(NodeFailure) in
                    for piece in LogLines.pieces(of: lines) { try await exchange.send(piece) }
                }
                return NoValue()
            },
            NodeRoute(ReadStatistics.self) { request, exchange async throws(NodeFailure) in
                try await self.readStatistics(request) { round async throws(NodeFailure) in
                    try await exchange.send(round)
                }
                return NoValue()
            },
        ]
    }
}

extension LogLines {
    /// Most bytes of content in one item; a longer line is one by itself.
    static let itemBytes = 64 << 10

    /// The lines in items of bounded size.
    static func pieces(of lines: [LogLine]) -> [LogLines] {
        var pieces: [LogLines] = []
        var piece: [LogLine] = []
        var bytes = 0
        for line in lines {
            if bytes + line.content.count > itemBytes, !piece.isEmpty {
                pieces.append(LogLines(lines: piece))
                piece = []
                bytes = 0
            }
            piece.append(line)
            // A line of nothing still takes its envelope.
            bytes += line.content.count + 100
        }
        if !piece.isEmpty { pieces.append(LogLines(lines: piece)) }
        return pieces
    }
}
