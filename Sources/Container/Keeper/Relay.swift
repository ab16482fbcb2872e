import Linux

/// Carries bytes from one descriptor towards another that may be slow, without ever blocking.
///
/// It holds at most one chunk: while that waits for its taker nothing more is read, so a slow taker slows the giver
/// down and costs no memory. (test: `an attached reader that stops reading holds the program up, not the keeper`)
struct Relay: ~Copyable {
    /// Where copies go; nil: nobody is attached.
    private var sink: SharedFD?
    private var waiting: [UInt8] = []

    init() {}

    var hasSink: Bool { sink != nil }

    /// The descriptor to watch for room, while a chunk waits.
    var blockedOn: CInt? {
        guard !waiting.isEmpty else { return nil }
        return sink?.raw
    }

    mutating func attach(_ sink: consuming OwnedFD) {
        self.sink = SharedFD(sink)
        waiting = []
    }

    mutating func detach() {
        sink = nil
        waiting = []
    }

    /// Takes a chunk; `blockedOn` tells whether it could all be passed on.
    mutating func offer(_ chunk: ArraySlice<UInt8>) {
        guard hasSink else { return }
        waiting += chunk
        flush()
    }

    /// Passes on what waits, as far as there is room. A taker that is gone is forgotten.
    mutating func flush() {
        while !waiting.isEmpty, let raw = sink?.raw {
            do {
                let count = try Descriptors.write(waiting, to: raw)
                waiting.removeFirst(count)
            } catch where error.code == .again {
                return
            } catch {
                detach()
            }
        }
    }
}
