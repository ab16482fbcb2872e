import KubeObjects
import Linux
import TestKit

@testable import KubeServing

/// Pods whose containers are programs of this machine.
final class FakePods: PodAccess {
    let logs = FakeEvents()

    func log(_ target: PodTarget, _ options: PodLogOptions) async throws(APIFailure) -> any APIParts {
        guard options.follow else {
            throw .badRequest("container \"main\" in pod \"web\" is waiting to start: ContainerCreating")
        }
        return logs
    }

    func execute(
        _ target: PodTarget, _ options: PodStreamOptions, command: [String]
    ) async throws(APIFailure) -> any PodSession {
        throw .internalError("no programs yet")
    }

    func attach(_ target: PodTarget, _ options: PodStreamOptions) async throws(APIFailure) -> any PodSession {
        throw .internalError("no programs yet")
    }

    func connect(_ target: PodTarget, port: UInt16) async throws(APIFailure) -> SharedFD {
        throw .internalError("no ports yet")
    }
}
