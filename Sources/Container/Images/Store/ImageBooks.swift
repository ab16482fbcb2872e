internal import JSON
internal import Linux
internal import OCI

/// Which images there are and what they are called: the content of `images.json`. Pure.
///
/// Invariants (each with a test in ImageStoreTests):
/// 1. Every name stands for an image that is in the books.
/// 2. What is written is read again.
/// 3. A name that gets another image leaves the first one in the books, without that name.
struct ImageBooks: Hashable, Sendable {
    /// An image without its names.
    struct Entry: Hashable, Sendable {
        var id: Digest
        var manifest: Digest
        var index: Digest?
        var size: Int
        var created: String?
        var added: Timestamp
    }

    /// By the manifest's digest.
    private(set) var entries: [Digest: Entry] = [:]
    /// The manifest's digest by the name's text.
    private(set) var names: [String: Digest] = [:]

    init() {}

    /// Adds an image or replaces what is known about it, except for the time it came.
    mutating func add(_ entry: Entry) {
        var entry = entry
        if let before = entries[entry.manifest] { entry.added = before.added }
        entries[entry.manifest] = entry
    }

    /// Gives an image of the books a name; another image loses it.
    mutating func name(_ reference: Reference, _ manifest: Digest) {
        precondition(entries[manifest] != nil, "only an image that is here gets a name")
        names[reference.description] = manifest
    }

    mutating func unname(_ reference: Reference) { names[reference.description] = nil }

    /// Takes an image and its names out.
    mutating func remove(_ manifest: Digest) {
        entries[manifest] = nil
        names = names.filter { $0.value != manifest }
    }

    func image(_ manifest: Digest) -> StoredImage? {
        guard let entry = entries[manifest] else { return nil }
        let names = names.filter { $0.value == manifest }.keys.sorted().compactMap { try? Reference($0) }
        return StoredImage(
            id: entry.id, manifest: manifest, index: entry.index, size: entry.size, created: entry.created,
            added: entry.added, names: names)
    }

    /// All images, the latest first.
    var images: [StoredImage] {
        entries.values.sorted { ($1.added, $1.manifest) < ($0.added, $0.manifest) }.compactMap { image($0.manifest) }
    }

    /// What `text` means: a name (":latest" when it has no tag), a digest, an id or the beginning of one. A name comes
    /// first, as in Docker: an image called "beef" hides one whose id begins so.
    func resolve(_ text: String) throws(ImageFailure) -> StoredImage {
        let reference = try? Reference(text)
        if let reference, let manifest = names[reference.tagged.description], let image = image(manifest) { return image }
        if let digest = reference?.digest, let image = images.first(where: { $0.has(digest, of: reference) }) {
            return image
        }
        let found = images.filter { $0.answers(to: text) }
        let ids = Set(found.map(\.id))
        if ids.count > 1 { throw .ambiguous(text, ids.sorted()) }
        if let image = found.first { return image }
        if reference == nil, !text.utf8.allSatisfy(isHexadecimal), Digest(text) == nil {
            do throws(ReferenceError) { _ = try Reference(text) } catch { throw .name(error) }
        }
        throw .unknownImage(text)
    }
}

extension StoredImage {
    /// "path@digest" means this image when it has a name in that repository and that digest.
    fileprivate func has(_ digest: Digest, of reference: Reference?) -> Bool {
        (digest == manifest || digest == index) && names.contains { $0.repository == reference?.repository }
    }

    fileprivate func answers(to text: String) -> Bool {
        if let digest = Digest(text) { return [id, manifest, index].contains(digest) }
        guard !text.isEmpty, text.utf8.allSatisfy(isHexadecimal) else { return false }
        return id.hex.hasPrefix(text) || manifest.hex.hasPrefix(text)
    }
}

private func isHexadecimal(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }

extension ImageBooks {
    /// The books as text, the same for the same books.
    var bytes: [UInt8] {
        let images = entries.values.sorted { $0.manifest < $1.manifest }.map { entry -> JSONValue in
            var json: JSONValue = ["manifest": entry.manifest.json, "config": entry.id.json]
            json["index"] = entry.index?.json
            json["size"] = .integer(Int64(entry.size))
            json["created"] = entry.created.map { .string($0) }
            json["added"] = .integer(Int64(entry.added.nanoseconds))
            return json
        }
        return JSONWriter.bytes(["version": 1, "images": .array(images), "names": names.json], .indented(1))
    }

    init(_ bytes: [UInt8]) throws(ImageFailure) {
        let json: JSONValue
        do throws(JSONError) { json = try JSONParser.parse(bytes) } catch {
            throw .unusable("the list of images (images.json) cannot be read: \(error)")
        }
        do throws(JSONShapeError) { try self.init(json) } catch {
            throw .unusable("the list of images (images.json) cannot be read: \(error)")
        }
    }

    private init(_ json: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json)
        let version: Int = try reader.required("version")
        guard version == 1 else { throw reader.error("version", "\(version) is of a later Forkless; this one reads 1") }
        for entry in try reader.array("images", { image throws(JSONShapeError) in try Self.entry(&image) }) {
            entries[entry.manifest] = entry
        }
        names = try reader.dictionary("names")
        for (name, manifest) in names {
            guard (try? Reference(name)) != nil, entries[manifest] != nil else {
                throw reader.error("names", "\"\(name)\" is no name of an image listed there")
            }
        }
    }

    private static func entry(_ reader: inout JSONObjectReader) throws(JSONShapeError) -> Entry {
        Entry(
            id: try reader.required("config"), manifest: try reader.required("manifest"),
            index: try reader.optional("index"), size: try reader.required("size"),
            created: try reader.optional("created"), added: Timestamp(nanoseconds: try reader.required("added")))
    }
}
