"""A message of the queue becomes a file of the inbox."""
import os


def handle(event, context):
    for record in event["Records"]:
        # The message's id names the file: a message that is delivered again is written once more as the same file.
        name = record["messageId"] + ".xml"
        # Written aside under a name that nobody watches, then renamed: a reader sees the whole file or none.
        aside = f"/mnt/inbox/.{name}"
        if os.path.exists(f"/mnt/inbox/{name}"):
            continue
        with open(aside, "w", encoding="utf-8") as file:
            file.write(record["body"])
            file.flush()
            os.fsync(file.fileno())
        os.rename(aside, f"/mnt/inbox/{name}")
    return {"received": len(event["Records"])}
