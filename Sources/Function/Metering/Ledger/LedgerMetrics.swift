internal import Linux
package import Metrics

/// The ledger in numbers.
package struct LedgerMetrics: MetricSource {
    private let ledger: Ledger

    package init(_ ledger: Ledger) { self.ledger = ledger }

    package func metrics() async -> [MetricFamily] {
        let (waiting, isFailing) = ledger.waiting
        let verified = ledger.verified.last
        var families = [
            MetricFamily.gauge("forkless_ledger_records", "Records in the ledger, on disk.", ledger.recordCount),
            .gauge("forkless_ledger_waiting_records", "Records that wait to be written.", waiting),
            .gauge("forkless_ledger_failing", "1 while the ledger cannot be written.", isFailing ? 1 : 0),
            .gauge("forkless_ledger_verified_records", "Records that the last verification found good; 0 before the first.", verified?.good ?? 0),
            .gauge(
                "forkless_ledger_verification_failed", "1 when the last verification found a fault.", verified?.isFaulty == true ? 1 : 0),
        ]
        if let verified {
            families.append(
                .gauge(
                    "forkless_ledger_verified_time_seconds", "When the ledger was verified last, seconds since 1970.",
                    Double(verified.at.nanoseconds / 1_000_000) / 1000))
        }
        return families
    }
}
