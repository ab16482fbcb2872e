"""Checks what the example promises: check.py BOOK.db LEGACY.db REFUSED-DIRECTORY COUNT REPEATS

Every payment stands in the book once or was refused once, each account's in the order in which they were sent, and what was decided is what
the legacy chain decides.
"""
import os
import sqlite3
import sys

book, legacy = sqlite3.connect(sys.argv[1]), sqlite3.connect(sys.argv[2])
refused, count, repeats = len(os.listdir(sys.argv[3])), int(sys.argv[4]), int(sys.argv[5])
failures = 0


def expect(what, wanted, got):
    global failures
    print(f"ok   {what}" if wanted == got else f"FAIL {what}: wanted {wanted}, got {got}")
    failures += wanted != got


expect(f"{count - refused} payments stand in the book, each once", count - refused, book.execute("SELECT count(*) FROM payments").fetchone()[0])
expect(f"{repeats} came a second time and were not booked again", repeats,
       book.execute("SELECT count(*) FROM repeats").fetchone()[0])
for (account,) in book.execute("SELECT DISTINCT account FROM payments ORDER BY account").fetchall():
    order = [row[0] for row in book.execute("SELECT reference FROM payments WHERE account = ? ORDER BY position", (account,))]
    expect(f"{account}: {len(order)} payments in the order of sending", sorted(order), order)
expect(f"{refused} were refused, as by the legacy chain", count - legacy.execute("SELECT count(*) FROM payments").fetchone()[0], refused)
query = "SELECT id, account, amount, score, decision, remarks FROM payments ORDER BY id"
expect("scores and decisions are those of the legacy chain", legacy.execute(query).fetchall(), book.execute(query).fetchall())
sys.exit(1 if failures else 0)
