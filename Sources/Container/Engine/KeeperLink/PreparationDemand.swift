/// Decides for which templates children are prepared ahead: those that were started several times of late, and one
/// child for each that is expected to be started.
///
/// A program that is run once is not worth a waiting child; one that a legacy caller starts for every transaction is.
///
/// Invariants (with their tests in PreparationDemandTests)
/// 1. What was asked to be prepared is let go when nobody has started it for a while.
///    (`a template that nobody starts any more is let go`)
/// 2. Of what is only expected no more than `expectedLimit` children wait. (`what was expected first gives way`)
package struct PreparationDemand: Sendable {
    /// So many starts within the window make a template worth preparing for.
    package static let startsNeeded = 3
    package static let window = Duration.seconds(10)
    /// Children kept waiting for what is started again and again; the keeper refills when half are taken.
    package static let count = 8
    /// Templates for which a child waits though nobody starts them: those expected last.
    package static let expectedLimit = 16

    /// So many children are to wait for this template from now on.
    package struct Order: Hashable, Sendable {
        package var template: UInt32
        package var count: Int

        package init(template: UInt32, count: Int) {
            self.template = template
            self.count = count
        }
    }

    private struct Use: Sendable {
        var starts: [ContinuousClock.Instant] = []
        var isPrepared = false
    }

    private var uses: [UInt32: Use] = [:]
    /// The one expected last stands last.
    private var expected: [UInt32] = []

    package init() {}

    /// Notes a start; what is to be prepared now.
    package mutating func started(_ template: UInt32, at now: ContinuousClock.Instant) -> Order? {
        var use = uses[template] ?? Use()
        use.starts = use.starts.suffix(Self.startsNeeded - 1) + [now]
        defer { uses[template] = use }
        guard !use.isPrepared, use.starts.count == Self.startsNeeded, now - use.starts[0] <= Self.window else { return nil }
        use.isPrepared = true
        return Order(template: template, count: Self.count)
    }

    /// Templates whose children should go but for the one that may be expected, since nobody has started them within
    /// the window.
    package mutating func released(at now: ContinuousClock.Instant) -> [Order] {
        let idle = uses.filter { now - ($0.value.starts.last ?? now) > Self.window }
        for template in idle.keys { uses[template] = nil }
        return idle.filter(\.value.isPrepared).keys.sorted().map { Order(template: $0, count: idleCount(of: $0)) }
    }

    /// Notes that a template is going to be started sooner or later; what is to be prepared now, and what let go.
    package mutating func expect(_ template: UInt32) -> [Order] {
        var orders: [Order] = []
        if let place = expected.firstIndex(of: template) {
            expected.remove(at: place)
        } else if !isPrepared(template) {
            orders.append(Order(template: template, count: 1))
        }
        expected.append(template)
        if expected.count > Self.expectedLimit {
            let former = expected.removeFirst()
            if !isPrepared(former) { orders.append(Order(template: former, count: 0)) }
        }
        return orders
    }

    /// A template is gone, and with it what was prepared for it.
    package mutating func forget(_ template: UInt32) {
        uses[template] = nil
        expected.removeAll { $0 == template }
    }

    private func isPrepared(_ template: UInt32) -> Bool { uses[template]?.isPrepared == true }

    private func idleCount(of template: UInt32) -> Int { expected.contains(template) ? 1 : 0 }

    /// Whether anything is prepared that will have to be let go.
    package var isActive: Bool { uses.contains { $0.value.isPrepared } }

    /// Forgets everything: the keeper that knew these templates is gone.
    package mutating func reset() { self = PreparationDemand() }
}
