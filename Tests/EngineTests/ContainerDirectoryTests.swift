import Engine
import Keeper
import Linux
import TestKit
import Testing

@Suite struct ContainerDirectoryTests {
    let files: TemporaryDirectory
    let directory: ContainerDirectory

    init() throws {
        files = try TemporaryDirectory("records")
        directory = ContainerDirectory(state: files.path)
        try directory.open()
    }

    static let started = StartReport(
        pid: 42, startedAt: Timestamp(nanoseconds: 900), startNanoseconds: 5, wasPrepared: true, room: "a1-2")
    static let end = ContainerEnd(exitStatus: 137, signal: 9, endedAt: Timestamp(nanoseconds: 7), outOfMemory: true)

    static let states: [ContainerLifecycle.State] = [
        .created(startError: nil), .created(startError: "no \"such\" file"), .starting(run: 3),
        .running(.init(number: 3, start: started)), .running(.init(number: 3, start: nil)),
        .stopping(.init(number: 3, start: started), killAt: Timestamp(nanoseconds: 5)),
        .stopping(.init(number: 3, start: started), killAt: nil), .exited(.init(number: 3, start: started), end),
        .lost(.init(number: 3, start: nil), end), .removing(.init(number: 3, start: started)),
    ]

    private func record(_ id: Character, _ state: ContainerLifecycle.State = .created(startError: nil)) -> ContainerRecord {
        var spec = ContainerSpecTests.full
        spec.removesOnExit = false
        return ContainerRecord(
            id: String(repeating: id, count: 64), name: "name-\(id)", createdAt: Timestamp(nanoseconds: 5), spec: spec,
            isLogged: true, room: "a1-2", lifecycle: ContainerLifecycle(state: state, runs: 3, removesOnExit: false))
    }

    @Test(arguments: states.indices) func `what is written is read again, in every state`(index: Int) throws {
        let record = record("a", Self.states[index])
        try directory.write(record)
        let (records, remarks) = try directory.load()
        #expect(records == [record])
        #expect(remarks == [])
    }

    @Test func `a record is replaced as a whole and only its owner may read it`() throws {
        try directory.write(record("a"))
        try directory.write(record("a", .starting(run: 3)))
        #expect(try directory.load().records == [record("a", .starting(run: 3))])
        #expect(try Files.status(directory.path).permissions == 0o700)
        let file = directory.directory(of: record("a").id) + "/container.json"
        #expect(try Files.status(file).permissions == 0o600)
        #expect(try Files.list(directory.directory(of: record("a").id)).sorted() == ["container.json", "log"])
    }

    @Test(arguments: ["", "{", "{\"version\":2}", "{\"version\":1}", "[]"])
    func `an unreadable record is reported and left alone`(text: String) throws {
        try directory.write(record("a"))
        try directory.write(record("b"))
        let file = directory.directory(of: record("b").id) + "/container.json"
        try Files.replace(file, with: Array(text.utf8))
        try directory.open()
        let (records, remarks) = try directory.load()
        #expect(records == [record("a")])
        #expect(remarks.count == 1)
        #expect(remarks[0].contains(file))
        #expect(try Files.readText(file) == text)
    }

    @Test func `a record under another's id is not believed`() throws {
        try directory.write(record("a"))
        try Files.rename(directory.directory(of: record("a").id), to: directory.directory(of: record("c").id))
        let (records, remarks) = try directory.load()
        #expect(records.isEmpty)
        #expect(remarks.count == 1)
    }

    @Test func `what a dead node had begun to make or to remove is cleared away`() throws {
        try directory.write(record("a"))
        try files.write("x", to: "containers/.new-1234/container.json")
        try files.write("x", to: "containers/.removed-1234/log/log")
        try directory.open()
        #expect(try Files.list(directory.path) == [record("a").id])
    }

    @Test func `a container's room goes with it, also when a node died in the middle`() throws {
        for name in ["a1-2", "a1-3"] { try files.write("x", to: "rooms/\(name)/upper/data/file") }
        try directory.write(record("a"))
        try Files.rename(directory.directory(of: record("a").id), to: directory.path + "/.removed-x")
        try directory.open()
        #expect(try Files.list(directory.rooms) == ["a1-3"])
        // Names that are no room's are nobody's: nothing outside the directory of rooms is ever named.
        try files.write("x", to: "victim/file")
        try directory.remove("nobody", room: "../victim")
        #expect(Files.exists(files.path("victim/file")))
        try directory.remove("nobody", room: "a1-3")
        #expect(try Files.list(directory.rooms) == [])
    }

    @Test func `rooms that nobody has are swept, and no others`() throws {
        for name in ["a1-1", "a1-2", "a1-3", "b2-1", ".base", "other"] { try files.write("x", to: "rooms/\(name)/hosts") }
        // One is of a record, one of a sandbox; those of the keeper that runs may be waiting for a start.
        try directory.sweepRooms(owned: ["a1-2", "a1-3"], generation: 0xb2)
        #expect(try Files.list(directory.rooms).sorted() == [".base", "a1-2", "a1-3", "b2-1", "other"])
    }

    @Test func `a removed container is gone, and removing it again is no error`() throws {
        try directory.write(record("a"))
        try directory.remove(record("a").id)
        try directory.remove(record("a").id)
        #expect(try Files.list(directory.path) == [])
    }
}
