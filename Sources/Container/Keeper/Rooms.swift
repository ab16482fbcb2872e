import Linux
import Sandbox

// Rooms: where sandboxes of one plan write, each in its own.
//
// Invariants
// 1. A room that no program was started in is removed with the child that it was made for; one that a program had
//    stays, and belongs to whoever asked for the start. (test: `rooms that nobody used are removed`)
// 2. Two sandboxes never write to one room: overlayfs leaves undefined what they would read.
//    (test: `a room is nobody else's while a program runs in it`)
// 3. Names hold the keeper's generation: rooms of an earlier keeper can be told from those that wait.

/// A room that somebody writes to.
struct UsedRoom {
    var room: Room
    /// Made for a child that has not become a program yet.
    var isFresh: Bool

    fileprivate var path: String { room.directory + "/" + room.name }
}

extension Keeper {
    /// A room for a child: a fresh one or, by name, one that is there; nil for a plan without.
    func takeRoom(_ name: String?, for entry: TemplateEntry) throws(KeeperFailure) -> UsedRoom? {
        guard let directory = entry.template.plan.rooms else { return nil }
        let used: UsedRoom
        do {
            if let name {
                try checkRoom(name, in: directory)
                used = UsedRoom(room: try Room(existing: name, in: directory), isFresh: false)
            } else {
                let name = RoomName.text(generation: identity.generation, number: nextRoom)
                nextRoom += 1
                used = UsedRoom(room: try Room.make(name, in: directory), isFresh: true)
            }
        } catch let error as SystemError {
            throw KeeperFailure(error)
        } catch let error as KeeperFailure {
            throw error
        } catch {
            preconditionFailure("\(error)")
        }
        roomsInUse.insert(used.path)
        return used
    }

    private func checkRoom(_ name: String, in directory: String) throws(KeeperFailure) {
        guard RoomName.isValid(name) else {
            throw KeeperFailure(.badRequest, "use the room \"\(name)\": no room has such a name")
        }
        guard !roomsInUse.contains(directory + "/" + name) else {
            throw KeeperFailure(.conflict, "use the room \(name): another program runs in it")
        }
    }

    /// The program in a room has ended: the room stays.
    func release(_ room: inout UsedRoom?) {
        guard let used = room.take() else { return }
        roomsInUse.remove(used.path)
    }

    /// The child for which a room was taken did not become a program: a fresh one goes.
    func giveUp(_ room: inout UsedRoom?) {
        guard let used = room.take() else { return }
        roomsInUse.remove(used.path)
        if used.isFresh { try? used.room.remove() }
    }
}

/// Names of rooms: which keeper made it, and a number.
package enum RoomName {
    static func text(generation: UInt64, number: Int) -> String {
        String(generation, radix: 16) + "-" + String(number)
    }

    /// Which keeper made a room of this name; nil: it is no room's name.
    package static func generation(of name: String) -> UInt64? {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let generation = UInt64(parts[0], radix: 16), let number = Int(parts[1]), number > 0,
            text(generation: generation, number: number) == name
        else { return nil }
        return generation
    }

    static func isValid(_ name: String) -> Bool { generation(of: name) != nil }

    /// Which of the rooms in a directory nobody has: they belong to no container, and the keeper that made them is not
    /// the one that runs, which removes its own.
    ///
    /// - Parameters:
    ///   - names: what is in the directory of rooms; what is no room's name is never listed.
    ///   - owned: rooms of containers that are on record, and of what the keeper lists.
    ///   - generation: of the keeper that runs; nil: none does.
    package static func unowned(_ names: [String], owned: Set<String>, generation: UInt64?) -> [String] {
        names.filter { name in
            guard let maker = Self.generation(of: name) else { return false }
            return maker != generation && !owned.contains(name)
        }
    }
}
