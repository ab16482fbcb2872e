import Glibc
import Images
import Keeper
package import Linux

// Copies in and out of containers.

extension ContainerEngine {
    package func copy(from request: CopyFromContainer, _ descriptors: [SharedFD]) async throws(NodeFailure) {
        guard descriptors.count == 1 else {
            throw NodeFailure(.badRequest, "a copy takes one descriptor with the request; \(descriptors.count) came")
        }
        let worker = try registry.find(request.container)
        let owner = request.owner.map { ($0.user, $0.group) }
        try await withRoot(of: worker, isWritten: false) { root async throws(NodeFailure) in
            var source = try CopyPlace(root, request.source)
            if request.followsLink { source = try await Self.following(source) }
            guard let destination = request.destination else {
                let (from, name) = (source, worker.record.name)
                do {
                    _ = try await TarCopy.read(from.path, below: root, to: DescriptorSink(descriptors[0]))
                } catch { throw NodeFailure(.system, "copy \(from.path) out of \(name): \(error)") }
                return
            }
            let place = try CopyPlace(descriptors[0], destination)
            try await FileCopy(source: source, destination: place, owner: owner).run()
        }
        journal.note("archive-path", of: worker.record)
    }

    package func copy(to request: CopyToContainer, _ descriptors: [SharedFD]) async throws(NodeFailure) {
        guard descriptors.count == 1 else {
            throw NodeFailure(.badRequest, "a copy takes one descriptor with the request; \(descriptors.count) came")
        }
        let worker = try registry.find(request.container)
        let owner = request.owner.map { ($0.user, $0.group) }
        try await withRoot(of: worker, isWritten: true) { root async throws(NodeFailure) in
            let destination = try CopyPlace(root, request.destination)
            guard let source = request.source else {
                var policy = UnpackPolicy.copy
                if let owner { policy.owners = .fixed(owner.0, owner.1) }
                let name = worker.record.name
                do {
                    _ = try await TarCopy.write(
                        DescriptorSource(descriptors[0]), into: destination.path, below: root, policy: policy)
                } catch { throw NodeFailure(.system, "copy into \(name): \(error)") }
                return
            }
            var place = try CopyPlace(descriptors[0], source)
            if request.followsLink { place = try await Self.following(place) }
            try await FileCopy(source: place, destination: destination, owner: owner).run()
        }
        journal.note("extract-to-dir", of: worker.record)
    }

    private static func following(_ place: CopyPlace) async throws(NodeFailure) -> CopyPlace {
        do { return try await BlockingPool.shared.run { () throws(SystemError) in try place.following() } } catch {
            throw NodeFailure(.system, "copy: \(error)")
        }
    }

    /// The root of a container as its programs see it; of one that does not run, its layers with what it has written.
    private func withRoot(
        of worker: ContainerWorker, isWritten: Bool, _ body: (SharedFD) async throws(NodeFailure) -> Void
    ) async throws(NodeFailure) {
        let record = worker.record
        if record.lifecycle.isUnderWay {
            guard let run = record.lifecycle.run, let start = run.start else {
                throw NodeFailure(.conflict, "container \(record.name): it is being started; try again when it runs")
            }
            let root: SharedFD
            do {
                root = try await BlockingPool.shared.run { () throws(SystemError) in
                    SharedFD(try Files.open("/proc/\(start.pid)/root", CopyPlace.pathOnly | O_DIRECTORY))
                }
            } catch { throw NodeFailure(.system, "open the root of \(record.name): \(error)") }
            // Its pid was its own if it still runs now; otherwise this may be anybody's root.
            let now = worker.record.lifecycle
            guard now.isUnderWay, now.runs == run.number else {
                throw NodeFailure(.conflict, "container \(record.name): it has ended meanwhile; try again")
            }
            return try await body(root)
        }
        let files = try await files(of: record.id)
        guard !isWritten else {
            throw NodeFailure(
                .unsupported, "container \(record.name): files are copied into containers that run; start it first")
        }
        let empty = ground.volumes.empty
        let root: SharedFD
        do {
            root = try await BlockingPool.shared.run { () throws(SystemError) in
                SharedFD(try LayerStack.readOnly((files.upper.map { [$0] } ?? []) + files.lower, empty: empty))
            }
        } catch { throw NodeFailure(.system, "look at the files of \(record.name): \(error)") }
        try await body(root)
    }

    var copyRoutes: [NodeRoute] {
        [
            NodeRoute(CopyFromContainer.self) { request, exchange async throws(NodeFailure) in
                try await self.copy(from: request, exchange.descriptors)
                return NoValue()
            },
            NodeRoute(CopyToContainer.self) { request, exchange async throws(NodeFailure) in
                try await self.copy(to: request, exchange.descriptors)
                return NoValue()
            },
        ]
    }
}
