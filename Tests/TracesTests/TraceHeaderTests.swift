import Testing

@testable import Traces

/// The examples of the specification, and what its test suite for implementations tries
/// (https://github.com/w3c/trace-context/tree/main/test).
@Suite struct TraceHeaderTests {
    @Test(arguments: [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", false),
        // Other flags are not ours to understand.
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", true),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe", false),
        // A later version is read by the places of this one.
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like", true),
    ]) func `a valid traceparent is read`(text: String, isSampled: Bool) throws {
        let read = try #require(TraceParent(text))
        #expect(read.trace.description == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(read.span == 0x00f0_67aa_0ba9_02b7 && read.isSampled == isSampled)
    }

    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x",
        "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01", "00-4bf92f3577b34da6a3ce929d0e0e473.-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-000f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-.1",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-４bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n",
    ]) func `an invalid traceparent is none`(text: String) { #expect(TraceParent(text) == nil) }

    @Test(arguments: [
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        ("congo=t61rcWkgMzE", "congo=t61rcWkgMzE"), ("fw529a3039@dt=FfReVsb,1tenant@a=1", "fw529a3039@dt=FfReVsb,1tenant@a=1"),
        ("foo=1 \t , \t bar=2, ,\t,baz=3", "foo=1,bar=2,baz=3"), ("", ""), ("foo=a b", "foo=a b"), ("a_-*/0=~!", "a_-*/0=~!"),
    ]) func `a valid tracestate is passed on`(text: String, written: String) { #expect(TraceState.valid(text) == written) }

    @Test(arguments: [
        "foo", "foo=", "=1", "Foo=1", "0foo=1", "foo=1,foo=2", "foo=1=2", "foo @=1", "foo@=1", "@foo=1", "foo@@bar=1", "a@0b=1",
        "a@bar@baz=1", "foo=\u{e9}", "foo=1\u{7f}", "foo=a\nb", "foo.bar=1", "a@abcdefghijklmno=1",
        String(repeating: "z", count: 257) + "=1", "a=" + String(repeating: "v", count: 257),
        (0..<33).map { "k\($0)=1".replacing("k", with: "key") }.joined(separator: ","),
    ]) func `an invalid tracestate is dropped as a whole`(text: String) { #expect(TraceState.valid(text) == nil) }

    @Test func `a tracestate that is too long loses its long and then its oldest entries`() throws {
        let long = "long=" + String(repeating: "l", count: 200)
        let entries = (0..<30).map { "entry\($0)=0123456789012345" }
        let kept = try #require(TraceState.valid(([entries[0], long] + entries.dropFirst()).joined(separator: ",")))
        #expect(kept.utf8.count <= 512 && kept.hasPrefix("entry0=") && !kept.contains("long") && !kept.contains("entry29"))
    }

    @Test func `Amazon's field is read in any order`() throws {
        let text = "Sampled=1; Lineage=1:abc:0;Parent=53995c3f42cd8ad8;Root=1-5759e988-bd862e3fe1be46a994272793"
        let read = try #require(AmazonTrace(text))
        #expect(read.trace.description == "5759e988bd862e3fe1be46a994272793" && read.parent == 0x5399_5c3f_42cd_8ad8)
        #expect(read.isSampled == true && read.others == "Lineage=1:abc:0")
    }

    @Test(arguments: [
        "", "Parent=53995c3f42cd8ad8;Sampled=1", "Root=2-5759e988-bd862e3fe1be46a994272793", "Root=1-5759e98-bd862e3fe1be46a9942727933",
        "Root=1-5759e988-bd862e3fe1be46a99427279", "root=1-5759e988-bd862e3fe1be46a994272793",
        "Root=1-5759e988-bd862e3fe1be46a994272793;Root=1-5759e988-bd862e3fe1be46a994272794",
        "Root=1-5759e988-bd862e3fe1be46a994272793;" + String(repeating: "x", count: 1024),
    ]) func `Amazon's field without one valid root is none`(text: String) { #expect(AmazonTrace(text) == nil) }
}
