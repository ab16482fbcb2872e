import JSON
import TestKit
import Testing

@testable import EventSources

@Suite struct FilterTests {
    static let event =
        #"{"body":{"kind":"pacs.008","amount":120.5,"count":300,"to":"GB12","empty":"","none":null,"tags":["a","b"],"deep":{"x":1,"list":[{"y":1},{"y":2}]},"yes":true},"messageId":"m"}"#

    @Test(arguments: [
        (#"{"body":{"kind":["pacs.008"]}}"#, true), (#"{"body":{"kind":["pacs.009"]}}"#, false),
        (#"{"body":{"kind":["x","pacs.008"]}}"#, true), (#"{"body":{"kind":[{"prefix":"pacs."}]}}"#, true),
        (#"{"body":{"kind":[{"suffix":".008"}]}}"#, true), (#"{"body":{"kind":[{"suffix":".009"}]}}"#, false),
        (#"{"body":{"kind":[{"equals-ignore-case":"PACS.008"}]}}"#, true),
        (#"{"body":{"kind":[{"prefix":{"equals-ignore-case":"PACS"}}]}}"#, true),
        (#"{"body":{"kind":[{"anything-but":["pacs.008"]}]}}"#, false),
        (#"{"body":{"kind":[{"anything-but":"x"}]}}"#, true),
        (#"{"body":{"kind":[{"anything-but":{"prefix":"pacs"}}]}}"#, false),
        (#"{"body":{"kind":[{"anything-but":{"suffix":["9","8"]}}]}}"#, false),
        (#"{"body":{"amount":[{"numeric":[">",100]}]}}"#, true),
        (#"{"body":{"amount":[{"numeric":[">",100,"<=",120]}]}}"#, false),
        (#"{"body":{"amount":[{"numeric":["=",120.50]}]}}"#, true),
        (#"{"body":{"kind":[{"numeric":["=",1]}]}}"#, false),
        (#"{"body":{"count":[300.0]}}"#, true), (#"{"body":{"count":[{"anything-but":[300]}]}}"#, false),
        (#"{"body":{"to":[{"exists":true}]}}"#, true), (#"{"body":{"from":[{"exists":true}]}}"#, false),
        (#"{"body":{"from":[{"exists":false}]}}"#, true), (#"{"body":{"to":[{"exists":false}]}}"#, false),
        (#"{"body":{"empty":[""]}}"#, true), (#"{"body":{"none":[null]}}"#, true), (#"{"body":{"to":[null]}}"#, false),
        (#"{"body":{"tags":["b"]}}"#, true), (#"{"body":{"tags":["c"]}}"#, false), (#"{"body":{"yes":[true]}}"#, true),
        (#"{"body":{"deep":{"x":[1]}}}"#, true), (#"{"body":{"deep":{"list":{"y":[2]}}}}"#, true),
        (#"{"body":{"kind":["pacs.008"],"to":["DE"]}}"#, false),
        (#"{"body":{"$or":[{"kind":["x"]},{"amount":[{"numeric":[">",1]}]}]}}"#, true),
        (#"{"body":{"$or":[{"kind":["x"]},{"to":["y"]}],"yes":[true]}}"#, false),
        (#"{"messageId":["m"]}"#, true), (#"{"body":["text"]}"#, false),
    ])
    func `a filter finds what it wants`(_ pattern: String, _ matches: Bool) throws {
        #expect(try FilterPattern(pattern).matches(try JSONParser.parse(Self.event)) == matches)
    }

    @Test(arguments: [
        "", "[]", "{}", "null", #"{"a":1}"#, #"{"a":[]}"#, #"{"a":[[1]]}"#, #"{"a":[{"wildcard":"*"}]}"#,
        #"{"a":[{"cidr":"10.0.0.0/8"}]}"#, #"{"a":[{"prefix":1}]}"#, #"{"a":[{"exists":"yes"}]}"#,
        #"{"a":[{"numeric":[">"]}]}"#, #"{"a":[{"numeric":["!",1]}]}"#, #"{"a":[{"numeric":[">","1"]}]}"#,
        #"{"a":[{"prefix":"a","suffix":"b"}]}"#, #"{"a":[{"anything-but":[]}]}"#, #"{"a":[{"anything-but":[null]}]}"#,
        #"{"a":[{"anything-but":{"numeric":["=",1]}}]}"#, #"{"$or":[]}"#, #"{"$or":[{"a":["b"]}]}"#, #"{"a":{}}"#,
    ])
    func `a pattern that says more than is known is refused`(_ pattern: String) {
        #expect(throws: FilterError.self) { try FilterPattern(pattern) }
    }

    @Test func `filters survive whatever comes`() throws {
        var chance = SeededChance(seed: 11)
        let pieces = [
            "{", "}", "[", "]", ":", ",", "\"a\"", "\"prefix\"", "\"numeric\"", "\">\"", "1", "null",
            "\"anything-but\"", "\"$or\"",
            "\"exists\"", "true", "\"body\"",
        ]
        let event = try JSONParser.parse(Self.event)
        for round in 0..<20_000 {
            var text =
                round % 2 == 0 ? "" : #"{"body":{"a":[{"prefix":"x"}],"$or":[{"b":[1]},{"c":[{"numeric":[">",1]}]}]}}"#
            for _ in 0..<Int.random(in: 1...12, using: &chance) {
                let at = text.indices.randomElement(using: &chance) ?? text.startIndex
                text.insert(contentsOf: pieces.randomElement(using: &chance)!, at: at)
            }
            if let pattern = try? FilterPattern(text) { _ = pattern.matches(event) }
        }
        let deep = String(repeating: #"{"a":"#, count: 100) + "[1]" + String(repeating: "}", count: 100)
        #expect(throws: FilterError.self) { try FilterPattern(deep) }
    }
}
