import TestKit
import Testing

@testable import JSON

@Suite struct JSONCheckTests {
    private func parserAccepts(_ bytes: [UInt8]) -> Bool {
        do throws(JSONError) {
            _ = try JSONParser.parse(bytes)
            return true
        } catch { return false }
    }

    @Test(arguments: [
        "", " ", "null", "true", "tru", "nulll", "0", "-0", "01", "1.", "1.5e+3", "1e", "-", ".5", "[]", "[1,]", "[1,2",
        "{}",
        #"{"a":1,}"#, #"{"a" 1}"#, #"{a:1}"#, #"{"a":{"b":[null,"c"]}}"#, #""\u00e9""#, #""\ud83d\ude00""#,
        #""\ud83d""#, #""\ude00""#,
        #""\ud83dA""#, #""\x""#, "\"a\nb\"", "\"\u{7F}\"", "1 2", "[1]]", "\u{FEFF}{}", "\"ü€😀\"",
    ])
    func `it knows what JSON is`(text: String) {
        #expect(JSONCheck.isValue(Array(text.utf8)) == parserAccepts(Array(text.utf8)), "\(text)")
    }

    @Test func `nesting is limited as in the parser`() {
        for depth in [JSONParser.depthLimit - 1, JSONParser.depthLimit, JSONParser.depthLimit + 1] {
            let bytes =
                [UInt8](repeating: UInt8(ascii: "["), count: depth)
                + [UInt8](repeating: UInt8(ascii: "]"), count: depth)
            #expect(JSONCheck.isValue(bytes) == parserAccepts(bytes), "\(depth)")
        }
        #expect(!JSONCheck.isValue([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)))
    }

    @Test func `the check and the parser accept the same`() {
        var chance = SeededChance(seed: .random(in: .min ... .max))
        let seed = Array(#"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00ü😀",true,null,{}],"b":{"c":""}}"#.utf8)
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 0...3, using: &chance) {
                let at = Int.random(in: bytes.indices, using: &chance)
                switch Int.random(in: 0..<3, using: &chance) {
                case 0: bytes[at] = .random(in: .min ... .max, using: &chance)
                case 1: bytes.remove(at: at)
                default: bytes.insert(seed.randomElement(using: &chance)!, at: at)
                }
            }
            #expect(JSONCheck.isValue(bytes) == parserAccepts(bytes), "\(chance): \(bytes)")
        }
    }
}
