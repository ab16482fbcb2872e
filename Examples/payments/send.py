"""Sends messages to the queue, in order: send.py SOCKET FILE...

It speaks the SQS protocol at the node's socket with nothing but Python's own library. So does, over TCP:
    aws sqs send-message --endpoint-url http://127.0.0.1:3001 --queue-url ... --message-group-id ...
"""
import hashlib
import http.client
import json
import os
import re
import socket
import sys


class Node(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def call(self, operation, body):
        self.request("POST", "/", json.dumps(body), {
            "X-Amz-Target": "AmazonSQS." + operation, "Content-Type": "application/x-amz-json-1.0"})
        answer = self.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"{operation}: {answer.status} {text.decode()}")
        return json.loads(text or "{}")


def account(text):
    """The debtor's account, which is the message's group: one account's messages stay in order."""
    return re.search(r"<DbtrAcct>.*?<IBAN>([A-Z0-9]+)</IBAN>", text, re.S).group(1)


node = Node(sys.argv[1])
url = node.call("GetQueueUrl", {"QueueName": "payments.fifo"})["QueueUrl"]
for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    node.call("SendMessage", {
        "QueueUrl": url, "MessageBody": text, "MessageGroupId": account(text),
        # Whoever sends a message again on purpose says so with another id: here each sending is one.
        "MessageDeduplicationId": hashlib.sha256(f"{text}{os.getpid()}".encode()).hexdigest()})
print(f"{len(sys.argv) - 2} messages are in the queue")
