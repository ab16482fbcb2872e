@testable import Catalog
import Lambda
import Synchronization

/// Images whose names begin with "app".
final class FakeImages: LocalImages {
    private let leases = Mutex<[String: Int]>([:])

    var held: [String] { leases.withLock { $0.filter { $0.value > 0 }.keys.sorted() } }

    func resolve(_ name: String) async throws(LambdaFailure) -> LocalImage {
        guard name.hasPrefix("app") else { throw .invalidParameter("Source image \(name) does not exist.") }
        let id = "sha256:i-" + name
        return LocalImage(id: id, digest: "sha256:d-" + name, size: 1000, lease: try await hold(id))
    }

    func hold(_ id: String) async throws(LambdaFailure) -> any LocalImageLease {
        leases.withLock { $0[id, default: 0] += 1 }
        return Lease(self, id)
    }

    private final class Lease: LocalImageLease {
        let images: FakeImages
        let id: String

        init(_ images: FakeImages, _ id: String) { (self.images, self.id) = (images, id) }

        deinit { images.leases.withLock { $0[id, default: 1] -= 1 } }
    }
}
