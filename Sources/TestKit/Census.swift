internal import Linux

/// What a suite could leave behind, counted at one moment.
///
/// A suite takes one census before it starts and asks `settled(since:)` at its end:
///
///     let before = await Census.take()
///     ...
///     #expect(await Census.settled(since: before) == [])
///
/// Invariants (each with a test in CensusTests):
/// 1. Something that appeared after the first census and is still there is reported, by name.
/// 2. Something that was there before is not reported; neither is something that went away again.
/// 3. What comes and goes while `settled` waits, as with suites that run beside this one, is not reported.
package struct Census: Sendable {
    /// What is counted.
    package var scope: Scope
    /// Everything found, each thing once.
    package var items: Set<Item>

    /// Where to look. The standard scope is everything that Forkless makes on this machine.
    package struct Scope: Sendable {
        package var kinds: Set<Item.Kind> = Set(Item.Kind.allCases)
        /// Control groups whose name, or that of one above, starts with this.
        package var cgroupPrefix = "forkless"
        /// The files that count: everything at and below these.
        package var places = [
            Place(directory: "/tmp", prefix: "forkless"), Place(directory: "/run", prefix: "forkless"),
            Place(directory: "/var/lib", prefix: "forkless"),
        ]
        /// Things for which this returns true are not counted (a process-wide thread's wake-up descriptor, say).
        package var ignores: @Sendable (Item) -> Bool = { _ in false }

        package init() {}

        /// The standard scope restricted to some kinds.
        package init(only kinds: Set<Item.Kind>) { self.kinds = kinds }
    }

    /// The entries of a directory whose names start with a prefix (all of them when it is empty).
    package struct Place: Hashable, Sendable {
        package var directory: String
        package var prefix: String

        package init(directory: String, prefix: String = "") {
            self.directory = directory
            self.prefix = prefix
        }
    }

    /// One thing that could be left behind.
    package struct Item: Hashable, Sendable {
        package enum Kind: CaseIterable, Sendable {
            case descriptor, process, cgroup, mount, namespace, networkRule, file
        }

        package var kind: Kind
        /// What tells it from every other of its kind, now and later (a pid with its start time, not a pid).
        package var identity: String
        /// It, in words.
        package var sentence: String

        package static func == (a: Item, b: Item) -> Bool { a.kind == b.kind && a.identity == b.identity }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(kind)
            hasher.combine(identity)
        }
    }

    /// Counts now.
    package static func take(_ scope: Scope = Scope()) async -> Census {
        await openTimersOfTheRuntime()
        var found: [Item] = []
        if scope.kinds.contains(.descriptor) { found += descriptors() }
        if scope.kinds.contains(.process) || scope.kinds.contains(.namespace) {
            let ours = processes(cgroupPrefix: scope.cgroupPrefix)
            if scope.kinds.contains(.process) { found += ours.map(\.item) }
            if scope.kinds.contains(.namespace) { found += namespaces(heldBy: ours.map(\.pid)) }
        }
        if scope.kinds.contains(.cgroup) { found += cgroups(prefix: scope.cgroupPrefix) }
        if scope.kinds.contains(.mount) { found += mounts() }
        if scope.kinds.contains(.networkRule) { found += await networkRules() }
        if scope.kinds.contains(.file) { found += scope.places.flatMap(files) }
        return Census(scope: scope, items: Set(found.filter { !scope.ignores($0) }))
    }

    /// What is there now and was not there in `before`, one sentence each, sorted.
    package func difference(from before: Census) -> [String] {
        items.subtracting(before.items).map(\.sentence).sorted()
    }

    /// What is left over since `before` once the kernel has had time to clean up.
    ///
    /// Teardown is asynchronous (a cgroup, a namespace, a reaped process's descriptors), so this looks again and
    /// again until nothing is left or the time is out. What counts as left is only what every look has seen.
    package static func settled(since before: Census, within limit: Duration = .seconds(10)) async -> [String] {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        var pause = Duration.milliseconds(2)
        var left = await take(before.scope).items.subtracting(before.items)
        var looks = 1
        // A machine that stalls past the deadline has given nothing the time to go.
        while !left.isEmpty, clock.now < deadline || looks < 10 {
            // Cancelled: the caller does not want to wait, so what is left now is the answer.
            do { try await Task.sleep(for: pause, clock: clock) } catch { break }
            pause = min(pause * 2, .milliseconds(200))
            left.formIntersection(await take(before.scope).items)
            looks += 1
        }
        return left.map(\.sentence).sorted()
    }

    /// The runtime opens a timer descriptor for each clock at the first sleep on it, and keeps it: not a leak, so
    /// it has to be there before anything is counted.
    private static func openTimersOfTheRuntime() async {
        try? await Task.sleep(for: .milliseconds(1), clock: ContinuousClock())
        try? await Task.sleep(for: .milliseconds(1), clock: SuspendingClock())
    }
}
