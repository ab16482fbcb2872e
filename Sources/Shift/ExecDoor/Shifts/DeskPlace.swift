internal import Synchronization

/// Where the book finds the desk, which is made after it.
package final class DeskPlace: Sendable {
    private let place = Mutex<ShiftDesk?>(nil)

    package init() {}

    package var desk: ShiftDesk? { place.withLock { $0 } }

    package func set(_ desk: ShiftDesk) { place.withLock { $0 = desk } }
}
