import JSON
import Testing

@testable import NodeLogs

@Suite struct LogFormatTests {
    private static let time = "2026-11-30T06:12:03.123456789Z"

    private func line(_ event: LogEvent, _ format: LogFormat) -> String {
        String(decoding: format.line(event, time: Self.time), as: UTF8.self)
    }

    private var call: LogEvent {
        var event = LogEvent(.info, "functions", "call", requestID: "0190163d-8694-739b-aea5-966c26f8ad91")
        event.traceID = "0af7651916cd43dd8448eb211c80319c"
        event.spanID = "b7ad6b7169203331"
        event.add("function", "price")
        event.add("duration_us", 1200)
        event.add("cold", flag: false)
        event.add("error", nil as String?)
        return event
    }

    @Test func `a line of text is words and fields`() {
        #expect(
            line(call, .text) == """
                2026-11-30T06:12:03.123456789Z info functions: call request_id=0190163d-8694-739b-aea5-966c26f8ad91 \
                trace_id=0af7651916cd43dd8448eb211c80319c span_id=b7ad6b7169203331 function=price duration_us=1200 cold=false

                """)
        var event = LogEvent(.warn, "node", "a sentence with \"quotes\"")
        event.add("path", "/a b=\"c\"")
        event.add("empty", "")
        #expect(line(event, .text) == "\(Self.time) warn node: a sentence with \"quotes\" path=\"/a b=\\\"c\\\"\" empty=\"\"\n")
    }

    @Test func `a line of JSON is one object`() throws {
        let text = line(call, .json)
        let json = try JSONParser.parse(Array(text.utf8))
        #expect(json["time"]?.string == Self.time && json["level"]?.string == "info" && json["part"]?.string == "functions")
        #expect(json["message"]?.string == "call" && json["duration_us"]?.integer == 1200 && json["cold"]?.bool == false)
        #expect(json["request_id"]?.string == call.requestID && json["trace_id"]?.string == call.traceID)
        #expect(json["span_id"]?.string == call.spanID && json["function"]?.string == "price")
    }

    @Test(arguments: LogFormat.allCases) func `hostile text makes no line and no terminal escape`(format: LogFormat) throws {
        let hostile = [
            "a\nb", "a\r\nb", "\u{1b}[2J\u{1b}]0;title\u{7}", "\u{9b}31m", "\u{0}", "\u{7f}", "\u{2028}", "\u{202e}evil", "\",\"level\":\"error",
            "\\", "\\\"", "<script>", "\u{feff}", "\t", "ü€😀",
        ]
        for text in hostile {
            var event = LogEvent(.info, text, text, requestID: text)
            event.add("field", text)
            let bytes = format.line(event, time: Self.time)
            #expect(bytes.filter { $0 == 0x0A }.count == 1 && bytes.last == 0x0A, "\(text.debugDescription)")
            let written = String(decoding: bytes.dropLast(), as: UTF8.self)
            #expect(
                written.unicodeScalars.allSatisfy { scalar in
                    scalar.value >= 0x20 && !(0x7F..<0xA0).contains(scalar.value) && !(0x2028...0x202E).contains(scalar.value)
                        && scalar.value != 0xFEFF
                }, "\(written.debugDescription)")
            guard format == .json else { continue }
            let json = try JSONParser.parse(Array(bytes))
            #expect(json["message"]?.string == text && json["field"]?.string == text && json["level"]?.string == "info")
        }
    }

    @Test(arguments: LogFormat.allCases) func `a text of a megabyte makes a bounded line`(format: LogFormat) {
        let long = String(repeating: "x", count: 1 << 20)
        var event = LogEvent(.info, "node", long)
        event.add("field", long)
        #expect(format.line(event, time: Self.time).count < 9000)
    }

    @Test func `levels are in order`() {
        #expect(LogLevel.debug < .info && LogLevel.info < .warn && LogLevel.warn < .error)
    }
}
