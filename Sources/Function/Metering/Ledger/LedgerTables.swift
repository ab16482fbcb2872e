package import Store

/// The tables of this part of the node's database. Whoever opens it gives `Metering.migrations`.
package enum Metering {
    package static let migrations = [ledger, totals, keys]

    /// A record's canonical bytes are the truth; the columns beside them serve to find it, and verification compares both.
    private static let ledger = StoreMigration(
        "metering-1",
        """
        CREATE TABLE ledger (
            sequence INTEGER PRIMARY KEY,
            function TEXT NOT NULL,
            request TEXT NOT NULL,
            key TEXT,
            recorded INTEGER NOT NULL,
            record BLOB NOT NULL,
            hash BLOB NOT NULL
        ) STRICT;
        CREATE INDEX ledgerByFunction ON ledger (function);
        CREATE INDEX ledgerByRequest ON ledger (request) WHERE request <> '';
        CREATE INDEX ledgerByKey ON ledger (key) WHERE key IS NOT NULL;
        CREATE TRIGGER ledgerIsNotChanged BEFORE UPDATE ON ledger
            BEGIN SELECT RAISE(ABORT, 'records of the ledger are not changed'); END;
        CREATE TRIGGER ledgerIsNotShortened BEFORE DELETE ON ledger
            BEGIN SELECT RAISE(ABORT, 'records of the ledger are not removed'); END;
        CREATE TABLE ledgerContents (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
        """)

    private static let totals = StoreMigration(
        "metering-2",
        """
        CREATE TABLE ledgerTotals (
            day INTEGER NOT NULL,
            function TEXT NOT NULL,
            version TEXT NOT NULL,
            totals BLOB NOT NULL,
            PRIMARY KEY (day, function, version)
        ) STRICT, WITHOUT ROWID;
        """)

    private static let keys = StoreMigration(
        "metering-3",
        """
        CREATE TABLE keyAnswers (
            function TEXT NOT NULL,
            key TEXT NOT NULL,
            payloadDigest TEXT NOT NULL,
            request TEXT NOT NULL,
            run TEXT NOT NULL,
            expires INTEGER,
            version TEXT,
            contentType TEXT,
            functionError TEXT,
            answer BLOB,
            PRIMARY KEY (function, key)
        ) STRICT;
        CREATE INDEX keyAnswersByExpiry ON keyAnswers (expires) WHERE expires IS NOT NULL;
        """)
}
