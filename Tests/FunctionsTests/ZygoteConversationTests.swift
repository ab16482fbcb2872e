import Keeper
import Linux
import Synchronization
import TestKit
import Testing

@testable import Functions

struct ZygoteConversationTests {
    @Test(arguments: [true, false])
    func `what a zygote says right before its end is heard before its end`(isClosed: Bool) async throws {
        for _ in 0..<100 {
            var pair = try MessageSocket.pair()
            let theirs = MessageSocket(adopting: pair.takeSecond())
            let words = Mutex<[ZygoteWord]>([])
            let conversation = ZygoteConversation(try ZygoteSocket(pair.takeFirst())) { word in
                await Task.yield()
                words.withLock { $0.append(word) }
            }
            try theirs.send(Array("unfit\0a file is open".utf8))
            if isClosed { MessageSocket.end(theirs.fd.raw) }
            await conversation.finish()
            #expect(words.withLock { $0 } == [.unfit("a file is open")])
        }
    }
}
