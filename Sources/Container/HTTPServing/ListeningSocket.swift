internal import Linux

/// Sockets that listen, before anybody serves them.
enum ListeningSocket {
    static let backlog: CInt = 1024

    static func open(_ place: consuming HTTPListenPlace) throws(HTTPServingFailure) -> OwnedFD {
        switch consume place {
        case .descriptor(let fd): return fd
        case .tcp(let host, let port): return try tcp(host, port)
        case .unix(let path): return try unix(path)
        }
    }

    private static func tcp(_ host: String, _ port: UInt16) throws(HTTPServingFailure) -> OwnedFD {
        guard let address = HTTPAddress.numeric(host) else {
            throw HTTPServingFailure(
                .address, "listen at \(host):\(port): '\(host)' is no IP address. Give an address or 'localhost'.")
        }
        let endpoint = InternetEndpoint(address, port)
        do throws(SystemError) {
            return try InternetSocket.bind(.stream, to: endpoint, backlog: backlog)
        } catch {
            if error.code == .addressInUse {
                throw HTTPServingFailure(
                    .addressInUse, "listen at \(endpoint): another program has this port. Choose another one or end it."
                )
            }
            throw HTTPServingFailure(.address, "listen at \(endpoint): \(error)")
        }
    }

    private static func unix(_ path: String) throws(HTTPServingFailure) -> OwnedFD {
        do {
            do throws(SystemError) {
                return try StreamSocket.listen(at: path, backlog: backlog)
            } catch { guard error.code == .addressInUse else { throw error } }
            // The file is there. Whether somebody still listens is told by a connection only.
            if (try? StreamSocket.connect(to: path)) != nil {
                throw HTTPServingFailure(
                    .addressInUse, "listen at \(path): another program listens there. End it or choose another path.")
            }
            guard try Files.status(path, followLinks: false).kind == .socket else {
                throw HTTPServingFailure(.address, "listen at \(path): the file is there and is no socket. Remove it.")
            }
            try Files.remove(path)
            return try StreamSocket.listen(at: path, backlog: backlog)
        } catch {
            throw (error as? HTTPServingFailure) ?? HTTPServingFailure(.address, "listen at \(path): \(error)")
        }
    }
}
