package import JSON
package import Linux
package import Store

/// The tables of shifts in the node's database.
package enum ShiftTables {
    package static let migrations = [
        StoreMigration(
            "shifts-1",
            """
            CREATE TABLE shifts (
                id TEXT PRIMARY KEY,
                state TEXT NOT NULL,
                seed INTEGER NOT NULL,
                mountedIn TEXT NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE shiftHistory (
                sequence INTEGER PRIMARY KEY,
                shift TEXT NOT NULL,
                at INTEGER NOT NULL,
                kind TEXT NOT NULL,
                stage TEXT NOT NULL,
                text TEXT NOT NULL
            ) STRICT;
            CREATE INDEX shiftHistoryByShift ON shiftHistory (shift, sequence);
            """)
    ]
}

/// A shift as it is kept.
package struct KeptShift: Hashable, Sendable {
    package var state: ShiftState
    /// Of the spread of percentages.
    package var seed: UInt64
    /// The boot and the mount namespace in which the shim was mounted; empty: it was not.
    package var mountedIn: String

    package init(state: ShiftState, seed: UInt64, mountedIn: String) {
        self.state = state
        self.seed = seed
        self.mountedIn = mountedIn
    }
}

/// An entry of a shift's history.
package struct ShiftHistoryEntry: Hashable, Sendable {
    package var shift: String
    package var at: Timestamp
    package var kind: ShiftHistoryKind
    /// Where the shift stood: "canary 10 %".
    package var stage: String
    package var text: String

    package init(shift: String, at: Timestamp, kind: ShiftHistoryKind, stage: String, text: String) {
        self.shift = shift
        self.at = at
        self.kind = kind
        self.stage = stage
        self.text = text
    }

    package var json: JSONValue {
        ["at": .string("\(at)"), "kind": .string(kind.rawValue), "stage": .string(stage), "text": .string(text)]
    }
}

/// Reads and writes shifts.
package enum ShiftRows {
    static func save(_ shift: KeptShift, _ store: any StoreTransaction) throws(StoreFailure) {
        try store.execute(
            "INSERT OR REPLACE INTO shifts VALUES (?1, ?2, ?3, ?4)",
            [
                .text(shift.state.id), .text(JSONWriter.text(shift.state.json)),
                .integer(Int64(bitPattern: shift.seed)),
                .text(shift.mountedIn),
            ])
    }

    static func remove(_ id: String, _ store: any StoreTransaction) throws(StoreFailure) {
        try store.execute("DELETE FROM shifts WHERE id = ?1", [.text(id)])
    }

    static func append(_ entry: ShiftHistoryEntry, _ store: any StoreTransaction) throws(StoreFailure) {
        try store.execute(
            "INSERT INTO shiftHistory (shift, at, kind, stage, text) VALUES (?1, ?2, ?3, ?4, ?5)",
            [
                .text(entry.shift), .integer(Int64(entry.at.nanoseconds)), .text(entry.kind.rawValue),
                .text(entry.stage), .text(entry.text),
            ])
    }

    /// All shifts.
    package static func all(_ store: any StoreTransaction) throws(StoreFailure) -> [KeptShift] {
        var shifts: [KeptShift] = []
        for row in try store.query("SELECT state, seed, mountedIn FROM shifts ORDER BY id") {
            do {
                let state = try ShiftState(json: try JSONParser.parse(row.text(0) ?? ""))
                shifts.append(
                    KeptShift(
                        state: state, seed: UInt64(bitPattern: Int64(row.integer(1) ?? 0)), mountedIn: row.text(2) ?? ""
                    ))
            } catch { throw StoreFailure(.damaged, "read the shifts of this node: \(error)") }
        }
        return shifts
    }

    /// The newest entries of a shift's history, the oldest of them first.
    package static func history(
        of id: String, limit: Int, _ store: any StoreTransaction
    ) throws(StoreFailure) -> [ShiftHistoryEntry] {
        let rows = try store.query(
            "SELECT at, kind, stage, text FROM shiftHistory WHERE shift = ?1 ORDER BY sequence DESC LIMIT ?2",
            [.text(id), StoreValue(limit)])
        return rows.reversed().compactMap { row in
            guard let kind = row.text(1).flatMap(ShiftHistoryKind.init(rawValue:)) else { return nil }
            return ShiftHistoryEntry(
                shift: id, at: Timestamp(nanoseconds: row.integer(0) ?? 0), kind: kind, stage: row.text(2) ?? "",
                text: row.text(3) ?? "")
        }
    }
}
