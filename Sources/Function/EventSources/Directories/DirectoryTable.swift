internal import Linux
internal import Store

/// Which versions of files of a mapping's directory have become events.
enum DirectoryTable {
    static let migration = StoreMigration(
        "directories-1",
        """
        CREATE TABLE directory_file (
            mapping TEXT NOT NULL,
            path TEXT NOT NULL,
            inode TEXT NOT NULL,
            size INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            PRIMARY KEY (mapping, path)
        ) WITHOUT ROWID;
        """)

    static func contains(
        _ file: FileVersion, _ mapping: String, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> Bool {
        try transaction.first(
            "SELECT 1 FROM directory_file WHERE mapping = ?1 AND path = ?2 AND inode = ?3 AND size = ?4 AND modified = ?5",
            [
                .text(mapping), .text(file.path), .text("\(file.inode)"), StoreValue(file.size),
                StoreValue(file.modified),
            ]) != nil
    }

    static func insert(_ file: FileVersion, _ mapping: String, _ transaction: any StoreTransaction) throws(StoreFailure)
    {
        try transaction.execute(
            "INSERT OR REPLACE INTO directory_file (mapping, path, inode, size, modified) VALUES (?1, ?2, ?3, ?4, ?5)",
            [
                .text(mapping), .text(file.path), .text("\(file.inode)"), StoreValue(file.size),
                StoreValue(file.modified),
            ])
    }

    static func paths(_ mapping: String, _ transaction: any StoreTransaction) throws(StoreFailure) -> [String] {
        try transaction.query("SELECT path FROM directory_file WHERE mapping = ?1", [.text(mapping)]).map {
            $0.text(0)!
        }
    }

    static func remove(_ paths: [String], _ mapping: String, _ transaction: any StoreTransaction) throws(StoreFailure) {
        for path in paths {
            try transaction.execute(
                "DELETE FROM directory_file WHERE mapping = ?1 AND path = ?2", [.text(mapping), .text(path)])
        }
    }

    static func forget(_ mapping: String, _ transaction: any StoreTransaction) throws(StoreFailure) {
        try transaction.execute("DELETE FROM directory_file WHERE mapping = ?1", [.text(mapping)])
    }
}
