import KubeObjects

/// Names of objects that a controller makes: those of Kubernetes end in five letters and digits by chance; these follow from
/// what they are made for.
enum NameSuffix {
    private static let letters = Array("bcdfghjklmnpqrstvwxz2456789")

    /// - Returns: "base-x2b7k", with the base cut so that the name is no longer than a label.
    static func name(_ base: String, of seed: String) -> String {
        var hash = FNV1a(seed).value
        // The lowest bits of FNV-1a are its weakest.
        hash ^= hash >> 29
        var suffix = ""
        for _ in 0..<5 {
            suffix.append(letters[Int(hash % UInt64(letters.count))])
            hash /= UInt64(letters.count)
        }
        return base.prefix(57) + "-" + suffix
    }
}
