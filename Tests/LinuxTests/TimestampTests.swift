import Linux
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [0, 951_782_400_000_000_000, 1_795_416_449_123_456_789, 4_102_444_799_999_999_999])
    func `what a timestamp writes it reads back`(nanoseconds: Int) throws {
        let time = Timestamp(nanoseconds: nanoseconds)
        #expect(Timestamp(time.description) == time)
    }

    @Test func `an offset and fewer or more decimals are understood`() {
        #expect(Timestamp("1970-01-01T01:00:00+01:00") == Timestamp(nanoseconds: 0))
        #expect(Timestamp("1970-01-01T00:00:00.5Z") == Timestamp(nanoseconds: 500_000_000))
        #expect(Timestamp("1970-01-01T00:00:00.0000000019Z") == Timestamp(nanoseconds: 1))
        #expect(Timestamp("2000-02-29T00:00:00Z") != nil)
    }

    @Test(arguments: [
        "", "1970-01-01", "1970-13-01T00:00:00Z", "1900-02-29T00:00:00Z", "1970-01-01T24:00:00Z",
        "1970-01-01T00:00:00", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00Zx", "197O-01-01T00:00:00Z",
    ])
    func `what is no time is refused`(text: String) {
        #expect(Timestamp(text) == nil)
    }
}
