import OCI
import Testing

@Suite struct PlatformTests {
    @Test func `spellings that mean the same become one`() {
        #expect(Platform("linux/x86_64") == Platform("linux/amd64"))
        #expect(Platform("Linux/aarch64/v8") == Platform("linux/arm64"))
        #expect(Platform("linux/armhf")?.description == "linux/arm/v7")
        #expect(Platform("linux/arm")?.description == "linux/arm/v7")
    }

    @Test(arguments: ["", "linux", "linux/", "/amd64", "a/b/c/d", "linux//v7"]) func `what is no platform is none`(text: String) {
        #expect(Platform(text) == nil)
    }

    @Test(arguments: ["80", "80/tcp", "53/udp", "1/sctp", "65535"]) func `a port reads`(text: String) {
        #expect(ContainerPort(text)?.description == (text.contains("/") ? text : text + "/tcp"))
    }

    @Test(arguments: ["", "0", "65536", "-1", "+80", "80/", "80/icmp", "80-90", "80/tcp/x", " 80"])
    func `what is no port is none`(text: String) {
        #expect(ContainerPort(text) == nil)
    }
}
