/// What a cgroup says of memory that was not to be had.
///
/// On v2 the kernel counts whom it has killed. On v1 it does so, too, and where its killer is off
/// (`memory.disableOOMKiller`) programs wait for memory instead, which is told as long as it lasts.
package struct MemoryShortage: Hashable, Sendable {
    /// How many processes the kernel has killed for it.
    package var kills: Int64
    /// Whether programs wait for memory.
    package var isWaitedFor: Bool

    package init(kills: Int64, isWaitedFor: Bool) {
        self.kills = kills
        self.isWaitedFor = isWaitedFor
    }

    /// Whether something has happened since another look.
    package func isNews(after other: MemoryShortage) -> Bool {
        kills > other.kills || isWaitedFor && !other.isWaitedFor
    }
}

extension RuntimeCgroup {
    /// As it is now; none where nothing counts it.
    package var memoryShortage: MemoryShortage {
        let controller = branch(.memory)
        let table = table(controller, controller?.isUnified == true ? "memory.events" : "memory.oom_control")
        return MemoryShortage(kills: table["oom_kill"] ?? 0, isWaitedFor: table["under_oom"] == 1)
    }
}
