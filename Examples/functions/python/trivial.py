"""A function that answers with its event: what starting Python costs."""


def handler(event, context):
    return event
