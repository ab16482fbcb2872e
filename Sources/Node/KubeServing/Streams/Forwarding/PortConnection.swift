internal import JSON
internal import KubeObjects
internal import Linux

/// One connection to a port of a pod: what the client sends goes in, what the pod sends comes out.
struct PortConnection {
    let target: PodTarget
    let port: UInt16
    let pods: any PodAccess

    /// Runs until the pod has sent all.
    ///
    /// - Parameters:
    ///   - input: what the client sends; closed at the end.
    ///   - take: gets what the pod sends; false when the client wants no more.
    /// - Returns: why it failed, for the client.
    func run(_ input: ByteQueue, _ take: @escaping @Sendable ([UInt8]) async -> Bool) async -> String? {
        let socket: SharedFD
        do throws(APIFailure) { socket = try await pods.connect(target, port: port) } catch {
            input.close()
            return sentence(error.message)
        }
        let sending = Task {
            while let bytes = await input.next() {
                guard await DescriptorPump.write(bytes, to: socket) else {
                    input.close()
                    return
                }
            }
            MessageSocket.endOutput(socket.raw)
        }
        let end = await DescriptorPump.read(socket, take)
        // What the client still sends has nobody who reads it: as kubelet does, both ways end with the pod's.
        input.close()
        sending.cancel()
        await sending.value
        if case .failed(let error) = end { return sentence("\(error)") }
        return nil
    }

    private func sentence(_ why: String) -> String {
        "error forwarding port \(port) to pod \(target.name), uid \(target.uid): \(why)"
    }

    /// As kubelet tells it since 1.36; without `closeConnection`, so that a client goes on with other connections.
    static func word(of sentence: String) -> [UInt8] {
        JSONWriter.bytes(["message": .string(sentence)]) + [UInt8(ascii: "\n")]
    }
}
