"""The scorer as a program: what was found on standard input, the message by its name, the decision on standard output."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "score"))
import payment
import score

with open(sys.argv[1], encoding="utf-8") as file:
    print(json.dumps(score.decide(payment.read(file.read()), json.load(sys.stdin))))
