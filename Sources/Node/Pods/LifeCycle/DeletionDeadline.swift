package import KubeObjects
package import Linux

extension KubeObject {
    /// When a pod that is to go has to be gone; nil: it is not to go.
    ///
    /// `deletionTimestamp` is that moment in whole seconds, rounded down: on its own it would cost the programs up to a
    /// second of their grace. One who hears of it at once counts the grace from now, as the kubelet does; one who hears
    /// later, such as the next node, cannot tell the fraction and gives the whole second.
    package func deletionDeadline(heardAt now: Timestamp) -> Timestamp? {
        guard let text = metadata.deletionTimestamp else { return nil }
        guard let moment = Timestamp(text) else { return now }
        let latest = moment.adding(seconds: 1)
        guard let grace = metadata.deletionGracePeriodSeconds, let seconds = Int(exactly: grace) else { return latest }
        return min(latest, now.adding(seconds: seconds))
    }
}
