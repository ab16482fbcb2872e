import JSON
import Linux
import Store
import Synchronization
import TestKit
import Testing

@testable import ExecDoor

/// What is done where shifts are asked for, with mounts in a table and with real ones.
@Suite(.serialized, .leavesNothing) struct ShiftDeskTests {
    private func with(_ kind: Mounting, _ body: (ShiftPlace) async throws -> Void) async throws {
        let place = try await ShiftPlace(kind)
        do { try await body(place) } catch {
            await place.close()
            throw error
        }
        await place.close()
    }

    @Test(arguments: Mounting.here) func `a shift begins, changes, pauses, resumes and is rolled back`(
        _ kind: Mounting
    ) async throws {
        try await with(kind) { place in
            let (state, remarks) = try await place.desk.begin(place.spec(.measure))
            #expect(state.stage == .measure)
            #expect(remarks == [])
            #expect(place.isMounted)
            _ = try await place.desk.begin(place.spec(.full))
            #expect(place.state?.stage == .full)
            #expect(try await place.desk.ask(place.id, .pause(unmounts: true)).isActive == false)
            #expect(!place.isMounted)
            _ = try await place.desk.ask(place.id, .resume)
            #expect(place.isMounted)
            _ = try await place.desk.ask(place.id, .rollback)
            #expect(!place.isMounted)
            #expect(try await place.history() == [.created, .changed, .paused, .resumed, .rolledBack])
            // And once more.
            _ = try await place.desk.begin(place.spec(.shadow))
            #expect(place.isMounted)
            #expect(place.state?.isActive == true)
        }
    }

    @Test(arguments: Mounting.here) func `a shift that cannot be leaves nothing`(_ kind: Mounting) async throws {
        try await with(kind) { place in
            place.targetProblem.withLock { $0 = ShiftProblem(.notFound, "there is no such image") }
            await #expect(throws: ShiftProblem.self) { try await place.desk.begin(place.spec(.full)) }
            #expect(try await place.kept() == nil)
            #expect(!place.isMounted)
            place.targetProblem.withLock { $0 = nil }
            try Files.setPermissions(place.program, 0o4755)
            await #expect(throws: ShiftProblem.self) { try await place.desk.begin(place.spec(.measure)) }
            try Files.setPermissions(place.program, 0o755)
            try await place.makeRoom(false)
            await #expect(throws: ShiftProblem.self) { try await place.desk.begin(place.spec(.measure)) }
            try await place.makeRoom(true)
            #expect(try await place.kept() == nil)
            #expect(try await place.history() == [])
            #expect(!place.isMounted)
            #expect(place.state == nil)
        }
    }

    @Test(arguments: Mounting.here) func `a change that cannot be leaves the shift as it was`(
        _ kind: Mounting
    ) async throws {
        try await with(kind) { place in
            _ = try await place.desk.begin(place.spec(.measure))
            place.targetProblem.withLock { $0 = ShiftProblem(.notFound, "there is no such image") }
            await #expect(throws: ShiftProblem.self) { try await place.desk.begin(place.spec(.full)) }
            #expect(place.state?.stage == .measure)
            #expect(place.state?.isActive == true)
            #expect(place.isMounted)
        }
    }

    @Test(arguments: Mounting.here) func `one file is shifted once, whatever it is called`(_ kind: Mounting) async throws {
        try await with(kind) { place in
            _ = try await place.desk.begin(place.spec(.measure))
            let other = place.directory.path("other")
            try await place.elsewhere(["ln", place.program, other])
            var spec = place.spec(.measure)
            spec.program = other
            let again = spec
            let problem = await #expect(throws: ShiftProblem.self) { try await place.desk.begin(again) }
            #expect(problem?.kind == .conflict)
            #expect(problem?.description.contains("another name of it") == true)
        }
    }

    @Test(arguments: Mounting.here) func `what was asked for survives a node that was killed`(
        _ kind: Mounting
    ) async throws {
        try await with(kind) { place in
            _ = try await place.desk.begin(place.spec(.shadow))
            try await place.start()
            #expect(place.state?.stage == .shadow)
            #expect(place.isMounted)
            _ = try await place.desk.ask(place.id, .pause(unmounts: false))
            try await place.start()
            #expect(place.state?.isActive == false)
            #expect(place.isMounted)
            _ = try await place.desk.ask(place.id, .rollback)
            try await place.start()
            #expect(!place.isMounted)
            #expect(try await place.history() == [.created, .paused, .rolledBack])
        }
    }

    @Test(arguments: Mounting.here) func `a shim that was unmounted by hand stays away`(_ kind: Mounting) async throws {
        try await with(kind) { place in
            _ = try await place.desk.begin(place.spec(.full))
            try place.unmountByHand()
            await place.desk.look()
            #expect(!place.isMounted)
            #expect(place.state?.isActive == false)
            // The same while no node was there.
            _ = try await place.desk.ask(place.id, .resume)
            #expect(place.isMounted)
            try place.unmountByHand()
            try await place.start()
            #expect(!place.isMounted)
            #expect(place.state?.phaseText.contains("unmounted the shim") == true)
            _ = try await place.desk.ask(place.id, .resume)
            #expect(place.isMounted)
            #expect(try await place.history() == [.created, .unmounted, .resumed, .unmounted, .resumed])
        }
    }

    @Test(arguments: Mounting.here) func `a program that is replaced is paused, and its new file gets the shim`(
        _ kind: Mounting
    ) async throws {
        try await with(kind) { place in
            _ = try await place.desk.begin(place.spec(.full))
            try await place.replace()
            await place.desk.look()
            #expect(place.isMounted)
            #expect(place.state?.isActive == false)
            _ = try await place.desk.ask(place.id, .resume)
            // While no node was there.
            try await place.replace()
            try await place.start()
            #expect(place.isMounted)
            #expect(place.state?.phaseText.contains("replaced by another file") == true)
            #expect(try await place.history() == [.created, .replaced, .resumed, .replaced])
        }
    }

    @Test(arguments: Mounting.here) func `a program that vanishes pauses its shift`(_ kind: Mounting) async throws {
        try await with(kind) { place in
            _ = try await place.desk.begin(place.spec(.full))
            try await place.remove()
            await place.desk.look()
            #expect(place.state?.isActive == false)
            #expect(place.state?.phaseText.contains("gone") == true)
            await #expect(throws: ShiftProblem.self) { try await place.desk.ask(place.id, .resume) }
            try Files.replace(place.program, with: try Files.read("/bin/true"), mode: 0o755)
            _ = try await place.desk.ask(place.id, .resume)
            #expect(place.isMounted)
        }
    }

    @Test(arguments: Mounting.here) func `a full disk does not keep a shim in its place`(_ kind: Mounting) async throws {
        try await with(kind) { place in
            _ = try await place.desk.begin(place.spec(.full))
            try await place.makeRoom(false)
            #expect(try await place.desk.ask(place.id, .rollback).isActive == false)
            #expect(!place.isMounted)
            #expect(place.told.contains { $0.contains("could not be written down yet") })
            #expect(try await place.kept()?.state.isActive == true)
            try await place.makeRoom(true)
            await place.desk.look()
            #expect(try await place.kept()?.state.isActive == false)
            #expect(try await place.history() == [.created, .rolledBack])
        }
    }

    @Test(.enabled(if: isRoot)) func `the original stays reachable for shims that are under way`() async throws {
        try await with(.real) { place in
            _ = try await place.desk.begin(place.spec(.full))
            let original = try #require(place.desk.book.entry(place.id)?.mounted).originalPath
            _ = try await place.desk.ask(place.id, .rollback)
            await place.desk.look()
            #expect(Files.exists(original))
            await place.desk.close()
            #expect(!Files.exists(original))
        }
    }

    @Test func `after a reboot a shim is mounted again`() async throws {
        try await with(.played) { place in
            _ = try await place.desk.begin(place.spec(.full))
            let next = PlayedMounts(place: "boot two")
            try await place.start(in: next)
            #expect(next.look(place.id, at: place.program).isMounted)
            #expect(place.state?.isActive == true)
            await place.desk.journal.flush()
            #expect(try await place.kept()?.mountedIn == "boot two")
        }
    }

    @Test(arguments: Mounting.here) func `without its target a shift that is taken up is paused`(
        _ kind: Mounting
    ) async throws {
        try await with(kind) { place in
            _ = try await place.desk.begin(place.spec(.full))
            place.targetProblem.withLock { $0 = ShiftProblem(.notFound, "the image is gone") }
            try await place.start()
            #expect(place.state?.isActive == false)
            #expect(place.isMounted)
            #expect(place.told.contains { $0.contains("the image is gone") })
        }
    }
}
