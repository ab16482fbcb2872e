"""The same with AWS's SDK and a client of it, made when the module is imported as AWS advises."""

import boto3

queue = boto3.client("sqs", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")


def handler(event, context):
    return {"region": queue.meta.region_name}
