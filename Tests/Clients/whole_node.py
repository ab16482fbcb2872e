"""Functions of a whole node through boto3: real instances, real events.

usage: whole_node.py ENDPOINT RUNTIME DIRECTORY
"""

import base64, io, json, os, sys, time, urllib.request, zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, runtime, directory = sys.argv[1:]
config = Config(retries={"max_attempts": 1}, read_timeout=60)
made = dict(endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="A", aws_secret_access_key="b", config=config)
functions = boto3.client("lambda", **made)
queues = boto3.client("sqs", **made)

CODE = '''
import json, os, sys, time
started = time.time()
def handler(event, context):
    print("event", json.dumps(event))
    if isinstance(event, dict) and event.get("fail"):
        raise ValueError("as wished")
    if isinstance(event, dict) and event.get("sleep"):
        time.sleep(event["sleep"])
    if isinstance(event, dict) and event.get("exit"):
        os._exit(event["exit"])
    if isinstance(event, dict) and event.get("eat"):
        held = bytearray(event["eat"] << 20)
        for at in range(0, len(held), 4096): held[at] = 1
    if isinstance(event, dict) and "Records" in event:
        fails = [r["messageId"] for r in event["Records"] if "bad" in r["body"]]
        return {"batchItemFailures": [{"itemIdentifier": f} for f in fails]}
    try:
        import shared
        layer = shared.NAME
    except ImportError:
        layer = None
    return {"event": event, "pid": os.getpid(), "started": started, "layer": layer,
            "arn": context.invoked_function_arn, "stage": os.environ.get("STAGE"), "memory": context.memory_limit_in_mb}
'''


def archive(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(name.replace("__", "/") + ".py", text)
    return buffer.getvalue()


def refused(name, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == name, error.response
        return error.response
    raise AssertionError(f"{name} was expected")


def invoke(payload, name="app", **more):
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(payload), **more)
    answer["Read"] = answer["Payload"].read()
    return answer


def value(payload, name="app", **more):
    answer = invoke(payload, name, **more)
    assert "FunctionError" not in answer, answer["Read"]
    return json.loads(answer["Read"])


def until(what, look, seconds=30):
    deadline = time.time() + seconds
    while time.time() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come")


role = "arn:aws:iam::000000000000:role/any"
layer = functions.publish_layer_version(LayerName="shared", Content={"ZipFile": archive(python__shared="NAME = 'from a layer'\n")})
functions.create_function(
    FunctionName="app", Runtime=runtime, Role=role, Handler="app.handler", Code={"ZipFile": archive(app=CODE)}, MemorySize=256,
    Timeout=5, Layers=[layer["LayerVersionArn"]], Environment={"Variables": {"STAGE": "test"}})
functions.get_waiter("function_active_v2").wait(FunctionName="app")

# A call, warm and cold, with its log.
first = invoke({"n": 1}, LogType="Tail")
answer = json.loads(first["Read"])
assert answer["event"] == {"n": 1} and answer["stage"] == "test" and answer["layer"] == "from a layer", answer
assert answer["arn"].endswith(":function:app"), answer
log = base64.b64decode(first["LogResult"]).decode()
assert "Init Duration:" in log and 'event {"n": 1}' in log and "REPORT RequestId: " + first["ResponseMetadata"]["RequestId"] in log, log
assert value({"n": 2})["started"] == answer["started"], "the instance is used again"

# What goes wrong.
failed = invoke({"fail": True})
assert failed["FunctionError"] == "Unhandled" and json.loads(failed["Read"])["errorType"] == "ValueError", failed["Read"]
late = invoke({"sleep": 30})
assert late["FunctionError"] == "Unhandled" and "Task timed out after 5.00 seconds" in late["Read"].decode(), late["Read"]
gone = invoke({"exit": 3})
assert gone["FunctionError"] == "Unhandled" and json.loads(gone["Read"])["errorType"] == "Runtime.ExitError", gone["Read"]
eaten = invoke({"eat": 600})
assert eaten["FunctionError"] == "Unhandled" and "OutOfMemory" in json.loads(eaten["Read"])["errorType"], eaten["Read"]
assert value({"n": 3})["started"] != answer["started"], "a new instance serves"

# Versions, aliases with weights, concurrency.
one = functions.publish_version(FunctionName="app")["Version"]
functions.update_function_configuration(FunctionName="app", Environment={"Variables": {"STAGE": "second"}})
two = functions.publish_version(FunctionName="app")["Version"]
functions.create_alias(FunctionName="app", Name="live", FunctionVersion=one, RoutingConfig={"AdditionalVersionWeights": {two: 0.5}})
stages = {value({}, "app:live")["stage"] for _ in range(40)}
assert stages == {"test", "second"}, stages
functions.put_provisioned_concurrency_config(FunctionName="app", Qualifier=one, ProvisionedConcurrentExecutions=2)
until("provisioned instances", lambda: functions.get_provisioned_concurrency_config(FunctionName="app", Qualifier=one)["Status"] == "READY")
warm = invoke({}, Qualifier=one, LogType="Tail")
assert "Init Duration" not in base64.b64decode(warm["LogResult"]).decode()
functions.delete_provisioned_concurrency_config(FunctionName="app", Qualifier=one)
functions.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=0)
throttled = refused("TooManyRequestsException", functions.invoke, FunctionName="app")
assert throttled["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", throttled
functions.delete_function_concurrency(FunctionName="app")

# An answer in parts.
stream = functions.invoke_with_response_stream(FunctionName="app", Payload=json.dumps({"n": 4}))
parts = list(stream["EventStream"])
whole = b"".join(part["PayloadChunk"]["Payload"] for part in parts if "PayloadChunk" in part)
assert json.loads(whole)["event"] == {"n": 4} and "InvokeComplete" in parts[-1], parts

# Asynchronous, with a destination.
results = os.path.join(directory, "results")
os.mkdir(results)
functions.put_function_event_invoke_config(
    FunctionName="app", MaximumRetryAttempts=0,
    DestinationConfig={side: {"Destination": f"arn:forkless:directory:us-east-1:000000000000:{results}"} for side in ("OnSuccess", "OnFailure")})
for event in ({"n": 5}, {"fail": True}):
    assert functions.invoke(FunctionName="app", InvocationType="Event", Payload=json.dumps(event))["StatusCode"] == 202
files = until("two results", lambda: (lambda names: names if len(names) == 2 else None)([n for n in os.listdir(results) if not n.startswith(".")]))
records = [json.load(open(os.path.join(results, name))) for name in files]
assert sorted(record["requestContext"]["condition"] for record in records) == ["RetriesExhausted", "Success"], records

# A key: one effect, the first answer again, another payload refused.
functions.tag_resource(
    Resource=functions.get_function(FunctionName="app")["Configuration"]["FunctionArn"], Tags={"forkless:key": "path:$.id"})
keyed = [invoke({"id": "k1", "n": 6})["Read"] for _ in range(3)]
assert keyed[0] == keyed[1] == keyed[2], keyed
refused("IdempotencyKeyConflictException", functions.invoke, FunctionName="app", Payload=json.dumps({"id": "k1", "n": 7}))
functions.untag_resource(Resource=functions.get_function(FunctionName="app")["Configuration"]["FunctionArn"], TagKeys=["forkless:key"])

# A queue in order, with one message that fails and goes to the dead.
dead = queues.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
dead_arn = queues.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
queue = queues.create_queue(QueueName="in.fifo", Attributes={
    "FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "6",
    "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})})["QueueUrl"]
arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="app", BatchSize=5, FunctionResponseTypes=["ReportBatchItemFailures"])
for number in range(4):
    queues.send_message(QueueUrl=queue, MessageBody="bad" if number == 1 else f"good {number}", MessageGroupId="account")
buried = until("the message that fails among the dead", lambda: queues.receive_message(QueueUrl=dead, WaitTimeSeconds=1).get("Messages"), 60)
assert buried[0]["Body"] == "bad", buried
left = lambda: queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
until("an empty queue", lambda: left()["ApproximateNumberOfMessages"] == left()["ApproximateNumberOfMessagesNotVisible"] == "0", 60)

# A function URL.
functions.add_permission(
    FunctionName="app", StatementId="public", Action="lambda:InvokeFunctionUrl", Principal="*", FunctionUrlAuthType="NONE")
url = functions.create_function_url_config(FunctionName="app", AuthType="NONE")["FunctionUrl"]
host = url.split("/")[2]
request = urllib.request.Request(f"http://127.0.0.1:{host.split(':')[1]}/pay/ment?a=1&a=2", headers={"Host": host}, data=b"hello")
answer = json.load(urllib.request.urlopen(request))["event"]
assert answer["version"] == "2.0" and answer["rawPath"] == "/pay/ment" and answer["queryStringParameters"] == {"a": "1,2"}, answer

functions.delete_function(FunctionName="app")
refused("ResourceNotFoundException", functions.get_function, FunctionName="app")
print("ok")
