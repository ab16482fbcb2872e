/// `--mount type=volume,source=NAME,target=DIR[,readonly]`, `--mount type=bind,source=DIR,target=DIR[,readonly]` or
/// `--mount type=tmpfs,target=DIR[,tmpfs-size=64m]`: comma-separated keys as Docker has them.
enum MountFlag: Hashable {
    case bind(BindFlag)
    case tmpfs(TmpfsFlag)
    case volume(VolumeFlag)

    /// Reads the value of `--mount`.
    static func parse(_ text: String, workingDirectory: String) throws(FlagError) -> MountFlag {
        var fields = try Fields(text)
        let type = fields.take("type") ?? "volume"
        let target = fields.take("target") ?? fields.take("destination") ?? fields.take("dst") ?? ""
        let mount: MountFlag
        switch type {
        case "bind": mount = try bind(&fields, target, text, workingDirectory)
        case "tmpfs": mount = try tmpfs(&fields, target, text)
        case "volume": mount = try volume(&fields, target, text)
        default:
            throw FlagError(
                flag, text, "type \"\(type)\" is not supported", advice: "The types are type=volume, type=bind and type=tmpfs.")
        }
        if let unknown = fields.firstKey {
            throw FlagError(flag, text, "unknown key \"\(unknown)\" for type=\(type)")
        }
        return mount
    }

    private static let flag = "--mount"

    private static func bind(
        _ fields: inout Fields, _ target: String, _ text: String, _ workingDirectory: String
    ) throws(FlagError) -> MountFlag {
        let source = fields.take("source") ?? fields.take("src") ?? ""
        var bind = BindFlag(
            source: try BindFlag.absoluteSource(source, flag, text, workingDirectory),
            target: try BindFlag.target(target, flag, text))
        if let value = fields.take("readonly") ?? fields.take("ro") {
            bind.isReadOnly = try boolean(value, text)
        }
        return .bind(bind)
    }

    /// Without a source it is a volume of its own for this container.
    private static func volume(_ fields: inout Fields, _ target: String, _ text: String) throws(FlagError) -> MountFlag {
        let name = fields.take("source") ?? fields.take("src")
        if let name, !VolumeFlag.isName(name) {
            throw FlagError(
                flag, text, name.isEmpty ? "the source is empty" : "\"\(name)\" is no name of a volume",
                advice: "For a path of this machine write type=bind.")
        }
        var volume = VolumeFlag(name: name, target: try BindFlag.target(target, flag, text))
        if let value = fields.take("readonly") ?? fields.take("ro") { volume.isReadOnly = try boolean(value, text) }
        return .volume(volume)
    }

    private static func tmpfs(_ fields: inout Fields, _ target: String, _ text: String) throws(FlagError) -> MountFlag {
        var tmpfs = TmpfsFlag(target: try BindFlag.target(target, flag, text))
        if let size = fields.take("tmpfs-size") {
            tmpfs.sizeBytes = try TmpfsFlag.size(size, flag, text)
        }
        return .tmpfs(tmpfs)
    }

    private static func boolean(_ value: String, _ text: String) throws(FlagError) -> Bool {
        switch value {
        case "", "true", "1": return true
        case "false", "0": return false
        default: throw FlagError(flag, text, "\"\(value)\" is neither true nor false")
        }
    }

    /// Keys and values in their order, each of which is taken once.
    private struct Fields {
        private var pairs: [(key: String, value: String)] = []

        init(_ text: String) throws(FlagError) {
            for field in text.split(separator: ",") {
                let pair = field.split(separator: "=", maxSplits: 1).map(String.init)
                guard let key = pair.first else { throw FlagError(flag, text, "a key is empty") }
                guard !pairs.contains(where: { $0.key == key }) else {
                    throw FlagError(flag, text, "\"\(key)\" is given twice")
                }
                pairs.append((key, pair.count == 2 ? pair[1] : ""))
            }
        }

        var firstKey: String? { pairs.first?.key }

        mutating func take(_ key: String) -> String? {
            guard let index = pairs.firstIndex(where: { $0.key == key }) else { return nil }
            return pairs.remove(at: index).value
        }
    }
}
