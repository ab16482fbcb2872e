import Glibc
import Linux
import Synchronization

/// Somebody who makes a directory a link to another and back, as fast as it goes.
final class Swapper: Sendable {
    private let path: String
    private let link: String
    private let isStopped = Atomic(false)
    private let isDone = Atomic(false)

    init(_ path: String, link: String) {
        self.path = path
        self.link = link
    }

    func run() {
        let aside = path + ".aside"
        while !isStopped.load(ordering: .relaxed) {
            if rename(path, aside) == 0 {
                _ = symlink(link, path)
                sched_yield()
                _ = unlink(path)
                _ = rename(aside, path)
            }
            sched_yield()
        }
        isDone.store(true, ordering: .releasing)
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        while !isDone.load(ordering: .acquiring) { usleep(1000) }
    }
}

/// A swapper at work on a thread of its own.
struct OwnThreadSwap {
    private let swapper: Swapper

    init(_ swapper: Swapper) throws(SystemError) {
        self.swapper = swapper
        try HelperThread.start("swapper") { swapper.run() }
    }

    func stop() { swapper.stop() }
}
