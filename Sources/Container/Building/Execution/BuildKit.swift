package import Engine
package import Linux

/// What running programs takes, the same for all builds of a node.
package struct BuildKit: Sendable {
    package var place: BuildPlace
    package var sandboxes: BuildSandboxes
    package var planner: LaunchPlanner
    package var networks: ContainerNetworks
    /// Those of Docker's set that the keeper can hand on.
    package var capabilities: Capabilities

    package init(
        place: BuildPlace, sandboxes: BuildSandboxes, planner: LaunchPlanner, networks: ContainerNetworks,
        capabilities: Capabilities
    ) {
        self.place = place
        self.sandboxes = sandboxes
        self.planner = planner
        self.networks = networks
        self.capabilities = capabilities
    }
}
