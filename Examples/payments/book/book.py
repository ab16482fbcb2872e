"""The booking step: one row for each payment, whatever happens how often.

The payment's own id is the key of the row, so that a payment that comes twice (as a file and as a message, or because
somebody sent it again, or because a step was repeated after a crash) is booked once.
"""
import sqlite3

PLACE = "/mnt/book/book.db"

TABLES = """
CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, payee TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL,
    reference TEXT NOT NULL, score REAL NOT NULL, decision TEXT NOT NULL, remarks TEXT NOT NULL,
    position INTEGER NOT NULL, UNIQUE (account, position));
CREATE TABLE IF NOT EXISTS repeats (id TEXT NOT NULL, reference TEXT NOT NULL);
"""


def book(database, payment):
    """True when it was booked now, False when it had been before."""
    row = {**payment, "remarks": " ".join(payment["remarks"])}
    with database:
        database.execute("BEGIN IMMEDIATE")
        if database.execute("SELECT 1 FROM payments WHERE id = :id", row).fetchone():
            database.execute("INSERT INTO repeats VALUES (:id, :reference)", row)
            return False
        database.execute(
            """INSERT INTO payments SELECT :id, :account, :to, :amount, :currency, :reference, :score, :decision, :remarks,
               1 + (SELECT count(*) FROM payments WHERE account = :account)""", row)
        return True


def connect(place):
    database = sqlite3.connect(place, timeout=20, isolation_level=None)
    database.executescript(TABLES)
    return database


def handle(event, context):
    database = connect(PLACE)
    try:
        return {"id": event["responsePayload"]["id"], "booked": book(database, event["responsePayload"])}
    finally:
        database.close()
