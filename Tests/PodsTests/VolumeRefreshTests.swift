import JSON
import Linux
import TestKit
import Testing

@testable import Pods

@Suite struct VolumeRefreshTests {
    private let now = Timestamp(nanoseconds: 1_800_000_000_000_000_000)

    @Test func `a refresh that fails is tried again after growing pauses, and a success forgets them`() {
        var refresh = VolumeRefresh()
        for seconds in [10, 20, 40, 80, 120, 120] {
            #expect(refresh.begin() == true)
            #expect(refresh.failed() == .seconds(seconds))
        }
        #expect(refresh.begin() == true)
        #expect(refresh.succeeded(due: nil, now: now) == nil)
        #expect(refresh.begin() == true)
        #expect(refresh.failed() == .seconds(10))
    }

    @Test func `the next refresh comes when something runs out, and not at once again`() {
        var refresh = VolumeRefresh()
        #expect(refresh.succeeded(due: now.adding(seconds: 48), now: now) == .seconds(48))
        #expect(refresh.succeeded(due: now, now: now) == .seconds(1))
        #expect(refresh.succeeded(due: Timestamp(nanoseconds: now.nanoseconds - 5), now: now) == .seconds(1))
    }

    @Test func `what changes during a refresh is looked at after it`() {
        var refresh = VolumeRefresh()
        #expect(refresh.begin() == true)
        #expect(refresh.begin() == false)
        #expect(refresh.begin() == false)
        #expect(refresh.succeeded(due: now.adding(seconds: 48), now: now) == .zero)
        #expect(refresh.begin() == true)
        #expect(refresh.begin() == false)
        #expect(refresh.failed() == .zero)
        #expect(refresh.begin() == true)
        #expect(refresh.succeeded(due: nil, now: now) == nil)
    }

    @Test func `an alarm rings once for what was set last`() async throws {
        let (alarm, other) = (Alarm(), Alarm())
        let heard = PodStage.Notes()
        alarm.set(after: .seconds(3600)) { Issue.record("it was replaced") }
        alarm.set(after: .zero) { heard.add("new") }
        try await eventually { heard.all == ["new"] }
        alarm.set(after: .seconds(3600)) { Issue.record("it was taken back") }
        alarm.set(after: nil) { Issue.record("it was not wanted") }
        alarm.end()
        alarm.set(after: .zero) { heard.add("late") }
        other.set(after: .zero) { heard.add("other") }
        try await eventually { heard.all.contains("other") }
        #expect(heard.all == ["new", "other"])
        other.end()
    }

    @Test func `a pod refers to what it names, and not to what a name ends in`() {
        let spec: JSONValue = ["volumes": [["name": "v", "configMap": ["name": "data"]]]]
        #expect(PodWorker.names(spec, "data"))
        #expect(!PodWorker.names(spec, "a"))
        #expect(!PodWorker.names(spec, "ata"))
    }
}
