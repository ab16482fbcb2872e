"""The booking step as a program: a decision on standard input."""
import importlib.util
import json
import os
import sys

place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "book", "book.py")
spec = importlib.util.spec_from_file_location("booking", place)
booking = importlib.util.module_from_spec(spec)
spec.loader.exec_module(booking)

database = booking.connect(sys.argv[1])
booking.book(database, json.load(sys.stdin))
database.close()
