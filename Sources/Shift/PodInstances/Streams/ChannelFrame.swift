/// A message of the subprotocol v5.channel.k8s.io: one byte that names the channel, then its bytes (KEP-4006).
enum ChannelFrame: Hashable, Sendable {
    case output([UInt8])
    case errors([UInt8])
    /// How it ended: a Status as JSON.
    case status([UInt8])
    /// The other side sends no more on this channel.
    case closed(UInt8)

    static let inputChannel: UInt8 = 0
    static let closeChannel: UInt8 = 255
    static let subprotocol = "v5.channel.k8s.io"

    /// nil for a message that this subprotocol does not have.
    init?(_ bytes: [UInt8]) {
        guard let channel = bytes.first else { return nil }
        let rest = Array(bytes.dropFirst())
        switch channel {
        case 1: self = .output(rest)
        case 2: self = .errors(rest)
        case 3: self = .status(rest)
        case Self.closeChannel where rest.count == 1: self = .closed(rest[0])
        default: return nil
        }
    }

    static func input(_ bytes: some Sequence<UInt8>) -> [UInt8] { [inputChannel] + bytes }
    /// The input is complete.
    static let endOfInput: [UInt8] = [closeChannel, inputChannel]
}
