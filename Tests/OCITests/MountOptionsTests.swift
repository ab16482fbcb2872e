import OCI
import Testing

@Suite struct MountOptionsTests {
    private typealias Attributes = MountOptions.Attributes

    @Test func `words become attributes, flags and data`() {
        let options = MountOptions([
            "nosuid", "strictatime", "mode=755", "", "size=65536k", "sync", "rprivate", "shared", "silent", "iversion",
        ])
        #expect(options.attributes.set == Attributes.noSetuid | Attributes.strictAccessTimes)
        #expect(options.attributes.cleared == Attributes.accessTimeField)
        #expect(options.data == ["mode=755", "size=65536k"])
        #expect(options.superblock == ["sync"])
        #expect(
            options.propagation.map(\.kind) == [.private, .shared] && options.propagation.map(\.reach) == [.all, .one])
        #expect(options.propagation.map(\.flags) == [0x4_4000, 0x10_0000])
        #expect(options.countsVersions == true)
        #expect(options.ofFileSystem == ["sync", "iversion", "mode=755", "size=65536k"])
        #expect(options.bind == nil && options.idMap == nil && !options.isRemount && !options.copiesUp)
    }

    @Test func `of contradicting words the last counts`() {
        let options = MountOptions([
            "ro", "noexec", "rw", "noatime", "relatime", "exec", "nodev", "bind", "rbind", "loud",
        ])
        #expect(options.attributes.set == Attributes.noDevices)
        #expect(options.attributes.cleared == Attributes.readOnly | Attributes.noExecute | Attributes.accessTimeField)
        #expect(options.bind == .all)
        #expect(MountOptions(["rw", "ro"]).attributes == MountOptions(["ro"]).attributes)
    }

    @Test func `words with an r in front are for all that is mounted below`() {
        let options = MountOptions(["rro", "rnosuid", "rnoatime", "ridmap", "rnosymfollow"])
        #expect(options.attributes.isEmpty)
        #expect(
            options.recursiveAttributes.set
                == Attributes.readOnly | Attributes.noSetuid | Attributes.noAccessTimes | Attributes.noSymbolicLinks)
        #expect(options.recursiveAttributes.cleared == Attributes.accessTimeField)
        #expect(options.idMap == .all)
        #expect(MountOptions(["rrw"]).recursiveAttributes.cleared == Attributes.readOnly)
    }

    @Test func `every word of the specification is known`() {
        // config.md, "Linux mount options"; "rrelatime" stands there with spaces behind it.
        let words = """
            async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime \
            noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev \
            rdiratime relatime remount rexec rnoatime rnodiratime rnoexec rnorelatime rnostrictatime rnosuid \
            rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw \
            shared silent slave strictatime suid symfollow sync tmpcopyup unbindable idmap ridmap
            """.split(separator: " ").map(String.init)
        // What the kernel logs of a mount is not ours to say: taken, and not said to be supported.
        #expect(Set(words).subtracting(MountOptions.names) == ["silent", "loud"])
        // Those are ours by the same rule.
        #expect(Set(MountOptions.names).subtracting(words) == ["rnodev"])
        for word in words { #expect(MountOptions([word]).data == [], "\(word)") }
    }
}
