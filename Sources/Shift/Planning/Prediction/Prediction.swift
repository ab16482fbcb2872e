package import Comparison

/// What one call would cost on a rung.
package struct Prediction: Hashable, Sendable {
    /// Time of a call as its caller sees it.
    package var latency: Formula
    /// Processor time of a call, that which its caller spends on starting it included.
    package var cpu: Reading<Formula>
    /// Memory that is held for it on average, waiting copies included.
    package var memory: Reading<Formula>

    package init(latency: Formula, cpu: Reading<Formula>, memory: Reading<Formula>) {
        self.latency = latency
        self.cpu = cpu
        self.memory = memory
    }
}
