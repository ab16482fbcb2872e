package import Planning

/// Finds the shared libraries that a program needs, as the dynamic loader does (ld.so(8)), without running anything.
package struct LibrarySearch<Tree: FileTree>: Sendable {
    private let tree: Tree
    /// The directories of /etc/ld.so.conf and the loader's own, in order.
    private let directories: [String]

    package init(_ tree: Tree) throws(PackFailure) {
        self.tree = tree
        var found = try Self.configured("/etc/ld.so.conf", tree, depth: 0)
        for directory in ["/lib", "/usr/lib", "/lib64", "/usr/lib64"] where !found.contains(directory) {
            found.append(directory)
        }
        directories = found
    }

    /// What is loaded with a program.
    package struct Closure: Hashable, Sendable {
        /// The loader and every library, under the paths by which they are found, in the order of discovery.
        package var paths: [String] = []
        /// Libraries that are nowhere, and who wants them: they may never be asked for.
        package var missing: [String: String] = [:]
    }

    package func closure(of path: String, _ elf: ELFFile) throws(PackFailure) -> Closure {
        var closure = Closure()
        var seen: Set<String> = []
        if let loader = elf.interpreter {
            guard try exists(loader) else { throw PackFailure("\(path): its loader \(loader) is not on this machine") }
            closure.paths.append(loader)
            seen.insert(String(loader.split(separator: "/").last ?? ""))
        }
        // DT_RPATH of those above counts for those below; DT_RUNPATH only for one's own.
        var waiting: [(path: String, elf: ELFFile, inherited: [String])] = [(path, elf, [])]
        while !waiting.isEmpty {
            let (user, file, inherited) = waiting.removeFirst()
            let own = try origin(of: user)
            let rpath = (file.runpath.isEmpty ? file.rpath.map { Self.expand($0, origin: own) } : []) + inherited
            let places = rpath + file.runpath.map { Self.expand($0, origin: own) } + directories
            for name in file.needed where seen.insert(name).inserted {
                guard let (found, library) = try find(name, in: places, like: elf) else {
                    closure.missing[name] = user
                    continue
                }
                closure.paths.append(found)
                waiting.append((found, library, rpath))
            }
        }
        return closure
    }

    private func find(_ name: String, in places: [String], like elf: ELFFile) throws(PackFailure) -> (String, ELFFile)?
    {
        let candidates = name.hasPrefix("/") ? [name] : places.map { $0 + "/" + name }
        for candidate in candidates {
            guard let walk = try LinkWalk.follow(candidate, in: tree), case .file? = try tree.entry(walk.path) else {
                continue
            }
            guard let library = try? ELFFile(try tree.read(walk.path)), library.machine == elf.machine,
                library.fileClass == elf.fileClass
            else { continue }
            return (candidate, library)
        }
        return nil
    }

    private func exists(_ path: String) throws(PackFailure) -> Bool { try LinkWalk.follow(path, in: tree) != nil }

    private func origin(of path: String) throws(PackFailure) -> String {
        let real = try LinkWalk.follow(path, in: tree)?.path ?? path
        return String(real[..<(real.lastIndex(of: "/") ?? real.startIndex)])
    }

    private static func expand(_ text: String, origin: String) -> String {
        var result = text
        for word in ["${ORIGIN}", "$ORIGIN"] {
            while let range = result.firstRange(of: word) { result.replaceSubrange(range, with: origin) }
        }
        return result
    }

    /// Directories and "include" lines of ld.so.conf(5), whose patterns are a directory's "*.conf" on Debian.
    private static func configured(_ path: String, _ tree: Tree, depth: Int) throws(PackFailure) -> [String] {
        guard depth < 8, case .file? = try tree.entry(path) else { return [] }
        var directories: [String] = []
        for line in String(decoding: try tree.read(path), as: UTF8.self).split(separator: "\n") {
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            guard let first = words.first else { continue }
            guard first == "include", words.count == 2 else {
                directories.append(String(first))
                continue
            }
            let pattern = words[1]
            if pattern.hasSuffix("/*.conf") {
                let directory = String(pattern.dropLast(7))
                guard case .directory? = try tree.entry(directory) else { continue }
                for name in try tree.list(directory) where name.hasSuffix(".conf") {
                    directories += try configured(directory + "/" + name, tree, depth: depth + 1)
                }
            } else {
                directories += try configured(String(pattern), tree, depth: depth + 1)
            }
        }
        return directories
    }
}
