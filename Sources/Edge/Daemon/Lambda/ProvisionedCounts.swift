import Functions
import Lambda
import Synchronization

/// How many instances of each version are provisioned, as the pools have told last: for whoever asks the API.
final class ProvisionedCounts: Sendable {
    private let told = Mutex<[DeployedFunction: Provisioning]>([:])

    func changed(_ function: DeployedFunction, _ provisioning: Provisioning) {
        told.withLock { $0[function] = provisioning.requested > 0 ? provisioning : nil }
    }

    func counts(of function: DeployedFunction) -> (allocated: Int, available: Int) {
        told.withLock { $0[function].map { ($0.allocated, $0.available) } ?? (0, 0) }
    }
}
