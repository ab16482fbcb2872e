/// The options of a mount, sorted by what has to be done for each (config.md, "Linux mount options").
///
/// Invariants (each with a test in MountOptionsTests):
/// 1. Of options that contradict each other the last one counts.
/// 2. What is not in `table` is data of the file system, in its order: nothing is dropped.
/// 3. `table` is what `features` reports, but for words that change nothing here.
package struct MountOptions: Hashable, Sendable {
    /// Attributes of one mount, as mount_setattr(2) takes them: MOUNT_ATTR_* to set and to clear.
    package struct Attributes: Hashable, Sendable {
        package var set: UInt64 = 0
        /// Never holds a bit of `set`, but for the field of the access times, which is cleared before it is set.
        package var cleared: UInt64 = 0

        package var isEmpty: Bool { self.set == 0 && cleared == 0 }

        mutating func apply(_ change: AttributeChange) {
            switch change {
            case .set(let bits):
                set |= bits
                cleared &= ~bits
            case .clear(let bits):
                cleared |= bits
                set &= ~bits
            case .accessTimes(let mode):
                cleared |= Self.accessTimeField
                set = set & ~Self.accessTimeField | mode
            }
        }

        package static let readOnly: UInt64 = 0x1
        package static let noSetuid: UInt64 = 0x2
        package static let noDevices: UInt64 = 0x4
        package static let noExecute: UInt64 = 0x8
        package static let accessTimeField: UInt64 = 0x70
        package static let relativeAccessTimes: UInt64 = 0
        package static let noAccessTimes: UInt64 = 0x10
        package static let strictAccessTimes: UInt64 = 0x20
        package static let noDirectoryAccessTimes: UInt64 = 0x80
        package static let noSymbolicLinks: UInt64 = 0x20_0000
    }

    enum AttributeChange: Hashable, Sendable {
        case set(UInt64)
        case clear(UInt64)
        case accessTimes(UInt64)
    }

    /// How far a word goes: the mount alone, or all that is mounted below it.
    package enum Reach: Hashable, Sendable { case one, all }

    /// What mounts and unmounts do across copies of a mount (mount_namespaces(7)).
    package struct Propagation: Hashable, Sendable {
        package enum Kind: String, Hashable, Sendable { case shared, slave, `private`, unbindable }
        package var kind: Kind
        package var reach: Reach

        /// MS_SHARED and so on, with MS_REC, as mount(2) takes them; without MS_REC as mount_setattr(2) does.
        package var flags: UInt64 {
            let kind: UInt64 =
                switch kind {
                case .unbindable: 1 << 17
                case .private: 1 << 18
                case .slave: 1 << 19
                case .shared: 1 << 20
                }
            return reach == .all ? kind | 1 << 14 : kind
        }
    }

    /// As written.
    package private(set) var words: [String] = []
    package private(set) var attributes = Attributes()
    /// For all that is mounted below ("rro").
    package private(set) var recursiveAttributes = Attributes()
    /// A bind mount, of the one mount or with all below it; nil is a file system of its own.
    package private(set) var bind: Reach?
    package private(set) var isRemount = false
    /// In their order.
    package private(set) var propagation: [Propagation] = []
    /// Flags of the superblock that fsconfig(2) knows by these names: "sync", "async", "dirsync", "lazytime" ...
    package private(set) var superblock: [String] = []
    /// MS_I_VERSION of mount(2); nil leaves it. fsconfig(2) has no such flag.
    package private(set) var countsVersions: Bool?
    /// Ids are mapped, for the mount or for all below it.
    package private(set) var idMap: Reach?
    /// A tmpfs starts with what was there before.
    package private(set) var copiesUp = false
    /// What is left is for the file system.
    package private(set) var data: [String] = []

    /// The words that mean the file system and not the one mount of it.
    package var ofFileSystem: [String] {
        let versions = countsVersions.map { [$0 ? "iversion" : "noiversion"] } ?? []
        return superblock + versions + data
    }

    package init(_ words: [String]) {
        self.words = words
        for word in words {
            guard let effect = Self.effects[word] else {
                if !word.isEmpty { data.append(word) }
                continue
            }
            apply(effect, word)
        }
    }

    private mutating func apply(_ effect: Effect, _ word: String) {
        switch effect {
        case .nothing: break
        case .attribute(let change, .one): attributes.apply(change)
        case .attribute(let change, .all): recursiveAttributes.apply(change)
        case .superblock: superblock.append(word)
        case .bind(let reach): bind = reach
        case .remount: isRemount = true
        case .propagation(let one): propagation.append(one)
        case .countsVersions(let wanted): countsVersions = wanted
        case .idMap(let reach): idMap = reach
        case .copiesUp: copiesUp = true
        }
    }

    /// What a word does.
    enum Effect: Hashable, Sendable {
        case nothing
        case attribute(AttributeChange, Reach)
        case superblock
        case bind(Reach)
        case remount
        case propagation(Propagation)
        case countsVersions(Bool)
        case idMap(Reach)
        case copiesUp
    }

    /// The words that do something, in alphabetical order.
    package static let names = table.map(\.0).filter { !withoutEffect.contains($0) }.sorted()

    /// How much the kernel logs (MS_SILENT) is a matter of mount(2) alone; fsopen(2) has no such flag.
    private static let withoutEffect: Set<String> = ["silent", "loud"]

    private static let effects = Dictionary(uniqueKeysWithValues: table)

    static let table: [(String, Effect)] = attributeTable + otherTable

    private static let attributeTable: [(String, Effect)] = [
        ("ro", AttributeChange.set(Attributes.readOnly)), ("rw", .clear(Attributes.readOnly)),
        ("nosuid", .set(Attributes.noSetuid)), ("suid", .clear(Attributes.noSetuid)),
        ("nodev", .set(Attributes.noDevices)), ("dev", .clear(Attributes.noDevices)),
        ("noexec", .set(Attributes.noExecute)), ("exec", .clear(Attributes.noExecute)),
        ("nosymfollow", .set(Attributes.noSymbolicLinks)), ("symfollow", .clear(Attributes.noSymbolicLinks)),
        ("nodiratime", .set(Attributes.noDirectoryAccessTimes)),
        ("diratime", .clear(Attributes.noDirectoryAccessTimes)),
        ("noatime", .accessTimes(Attributes.noAccessTimes)), ("atime", .accessTimes(Attributes.relativeAccessTimes)),
        ("relatime", .accessTimes(Attributes.relativeAccessTimes)),
        ("norelatime", .accessTimes(Attributes.relativeAccessTimes)),
        ("strictatime", .accessTimes(Attributes.strictAccessTimes)),
        ("nostrictatime", .accessTimes(Attributes.relativeAccessTimes)),
    ].flatMap { name, change in
        [(name, Effect.attribute(change, .one)), ("r" + name, Effect.attribute(change, .all))]
    }

    private static let otherTable: [(String, Effect)] = [
        ("defaults", .nothing), ("bind", .bind(.one)), ("rbind", .bind(.all)), ("remount", .remount),
        ("async", .superblock), ("sync", .superblock), ("dirsync", .superblock), ("lazytime", .superblock),
        ("nolazytime", .superblock), ("mand", .superblock), ("nomand", .superblock),
        ("iversion", .countsVersions(true)), ("noiversion", .countsVersions(false)),
        ("silent", .nothing), ("loud", .nothing),
        ("idmap", .idMap(.one)), ("ridmap", .idMap(.all)), ("tmpcopyup", .copiesUp),
        ("shared", .propagation(Propagation(kind: .shared, reach: .one))),
        ("rshared", .propagation(Propagation(kind: .shared, reach: .all))),
        ("slave", .propagation(Propagation(kind: .slave, reach: .one))),
        ("rslave", .propagation(Propagation(kind: .slave, reach: .all))),
        ("private", .propagation(Propagation(kind: .private, reach: .one))),
        ("rprivate", .propagation(Propagation(kind: .private, reach: .all))),
        ("unbindable", .propagation(Propagation(kind: .unbindable, reach: .one))),
        ("runbindable", .propagation(Propagation(kind: .unbindable, reach: .all))),
    ]
}
