package import Images
package import Lambda
package import Sandbox

/// What instances stand on: the same for all functions of a node.
package struct InstanceGround: Sendable {
    /// nil: functions of images are refused.
    package var images: ImageStore?
    /// STATE/functions
    package var state: String
    /// `AWS_REGION`
    package var region: String
    package var machine: MachineCapacity
    /// Takes sentences for the node's log.
    package var note: @Sendable (String) -> Void

    /// Keeps the code of a function on the disk as long as what it returns is held.
    package var hold: @Sendable (DeployedFunction) -> [any Sendable] = { _ in [] }

    package init(
        images: ImageStore?, state: String, region: String, machine: MachineCapacity,
        note: @escaping @Sendable (String) -> Void
    ) {
        self.images = images
        self.state = state
        self.region = region
        self.machine = machine
        self.note = note
    }

    package var layerStacks: String { "\(state)/layers/.stacks" }
    package var rooms: String { "\(state)/rooms" }
    package var logs: String { "\(state)/logs" }
}
