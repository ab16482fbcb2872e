import ExecDoor
import Synchronization

/// Where the book finds the desk, which is made after it.
final class DeskPlace: Sendable {
    private let place = Mutex<ShiftDesk?>(nil)

    var desk: ShiftDesk? { place.withLock { $0 } }

    func set(_ desk: ShiftDesk) { place.withLock { $0 = desk } }
}
