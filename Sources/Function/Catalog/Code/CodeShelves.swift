internal import Images
internal import Lambda
internal import Linux

/// The two shelves of a node: code of functions, and layers.
struct CodeShelves: Sendable {
    let code: CodeShelf
    let layers: CodeShelf

    static func open(_ directory: String) async throws(LambdaFailure) -> CodeShelves {
        do throws(SystemError) {
            return try await BlockingPool.shared.run { () throws(SystemError) in
                CodeShelves(
                    code: try CodeShelf(directory: directory + "/code"), layers: try CodeShelf(directory: directory + "/layers"))
            }
        } catch { throw .service("The directory of code could not be opened: \(error)") }
    }

    var places: CodePlaces { CodePlaces(code: code.directory, layers: layers.directory) }

    func sweep() async throws(LambdaFailure) {
        do throws(SystemError) {
            try await BlockingPool.shared.run { () throws(SystemError) in
                try code.sweep()
                try layers.sweep()
            }
        } catch { throw .service("The directory of code could not be tidied: \(error)") }
    }

    func keep(_ keys: [ContentKey]) {
        for key in keys {
            switch key {
            case .code(let hex): code.keep(hex)
            case .layer(let hex): layers.keep(hex)
            case .image: break
            }
        }
    }

    func discard(_ key: ContentKey) {
        switch key {
        case .code(let hex): code.discard(hex)
        case .layer(let hex): layers.discard(hex)
        case .image: break
        }
    }

    /// The archive of a kind ("functions", "layers") and a digest, if there is one.
    func archive(_ kind: String, _ hex: String) -> String? {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy({ 48...57 ~= $0 || 97...102 ~= $0 }) else { return nil }
        let path: String
        switch kind {
        case "functions": path = code.archive(hex)
        case "layers": path = layers.archive(hex)
        default: return nil
        }
        return Files.exists(path) ? path : nil
    }

    func lease(_ function: DeployedFunction) -> [CodeLease] {
        var leases: [CodeLease] = []
        if let name = function.codeDirectory.flatMap(Self.name) { leases.append(code.lease(name)) }
        for directory in function.layerDirectories {
            if let name = Self.name(directory) { leases.append(layers.lease(name)) }
        }
        return leases
    }

    /// The digest in .../HEX/tree.
    private static func name(_ path: String) -> String? { path.split(separator: "/").dropLast().last.map(String.init) }
}
