/// Puts values in the place of $(NAME), as Kubernetes does in commands, arguments and variables.
///
/// "$$(NAME)" is "$(NAME)" itself; a name without a value stays as it was written
/// (k8s.io/kubernetes/third_party/forked/golang/expansion).
enum VariableExpansion {
    static func expand(_ text: String, _ value: (String) -> String?) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            guard bytes[at] == UInt8(ascii: "$"), at + 1 < bytes.count else {
                result.append(bytes[at])
                at += 1
                continue
            }
            switch bytes[at + 1] {
            case UInt8(ascii: "$"):
                result.append(UInt8(ascii: "$"))
                at += 2
            case UInt8(ascii: "("):
                guard let end = bytes[(at + 2)...].firstIndex(of: UInt8(ascii: ")")) else {
                    result += bytes[at...(at + 1)]
                    at += 2
                    continue
                }
                let name = String(decoding: bytes[(at + 2)..<end], as: UTF8.self)
                result += value(name).map { Array($0.utf8) } ?? Array(bytes[at...end])
                at = end + 1
            default:
                result += bytes[at...(at + 1)]
                at += 2
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
