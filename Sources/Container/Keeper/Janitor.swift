import Linux

/// Closes descriptors whose end makes the kernel work: on a thread of its own, which decides nothing.
///
/// The last descriptor of a mount namespace takes all of its mounts down and waits for the kernel's readers to be
/// through with them. Without us that would happen when the program exits, before anybody hears that it has.
final class Janitor {
    private let orders: SharedFD

    init() throws(SystemError) {
        var pipe = try Files.pipe()
        let reader = SharedFD(try pipe.takeReader().duplicate(lowest: LongLived.lowestDescriptor))
        orders = SharedFD(try pipe.takeWriter().duplicate(lowest: LongLived.lowestDescriptor))
        try Files.setNonBlocking(orders.raw)
        try HelperThread.start("janitor") { Self.work(reader) }
    }

    /// Closes it soon. It is ours from now on.
    func close(_ descriptor: consuming OwnedFD) {
        let number = descriptor.release()
        let order = withUnsafeBytes(of: number) { Array($0) }
        // A pipe that is full has 16,000 orders in it; then we do it ourselves.
        if (try? Descriptors.write(order, to: orders.raw)) != order.count { OwnedFD(adopting: number).close() }
    }

    private static func work(_ orders: SharedFD) {
        var room = [UInt8](repeating: 0, count: 1024)
        // Orders are written whole and 1024 is a multiple of their size, so none is read in part (pipe(7)).
        while let count = try? Descriptors.read(orders.raw, into: &room), count > 0 {
            for at in stride(from: 0, to: count, by: 4) {
                let number = room[at..<(at + 4)].withUnsafeBytes { $0.loadUnaligned(as: CInt.self) }
                OwnedFD(adopting: number).close()
            }
        }
    }
}
