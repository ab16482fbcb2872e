import Linux
import TestKit
import Testing

@testable import Networking

@Suite struct NetworkDirectoryTests {
    @Test func `an unreadable network record is reported and left alone`() throws {
        let home = try TemporaryDirectory("networks")
        let directory = NetworkDirectory(state: home.path("state"))
        try directory.open()
        let broken = [home.path("state/networks/torn.json"), home.path("state/networks/attachments/torn.json")]
        for file in broken { try Files.replace(file, with: Array("{\"name\":".utf8)) }
        let contents = try directory.load()
        #expect(contents.networks.isEmpty && contents.attachments.isEmpty)
        #expect(contents.remarks.count == broken.count)
        for (file, remark) in zip(broken, contents.remarks) {
            #expect(remark.hasPrefix("\(file) cannot be read and was left as it is"))
            #expect(try Files.readText(file) == "{\"name\":")
        }
    }
}
