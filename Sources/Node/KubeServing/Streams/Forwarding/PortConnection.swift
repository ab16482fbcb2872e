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
        // A connection that the pod reset is over, and that is all: a client takes any word for the end of all
        // connections.
        if case .failed(let error) = end, error.code != .connectionReset { return sentence("\(error)") }
        return nil
    }

    private func sentence(_ why: String) -> String {
        "error forwarding port \(port) to pod \(target.name), uid \(target.uid): \(why)"
    }
}
