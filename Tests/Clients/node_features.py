"""What of a whole node other scripts do not touch, through boto3: telemetry, logs as JSON, images, and what is refused.

usage: node_features.py ENDPOINT RUNTIME DIRECTORY IMAGE
"""

import io, json, os, sys, time, urllib.request, zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, runtime, directory, image, interpreter = sys.argv[1:]
config = Config(retries={"max_attempts": 1}, read_timeout=60)
functions = boto3.client(
    "lambda", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="A", aws_secret_access_key="b", config=config)
role = "arn:aws:iam::000000000000:role/any"

CODE = '''
import json, logging
def handler(event, context):
    print("printed " + event["word"])
    logging.getLogger().setLevel("INFO")
    logging.getLogger().info("logged %s", event["word"])
    return event
'''

# Listens for telemetry, subscribes, and keeps what comes where the machine can see it.
EXTENSION = '''#!PYTHON
import http.server, json, os, threading, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"]
class Taker(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open("/mnt/out/telemetry", "a") as out:
            for event in events: out.write(json.dumps(event) + "\\n")
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words): pass
server = http.server.HTTPServer(("0.0.0.0", 8085), Taker)
threading.Thread(target=server.serve_forever, daemon=True).start()
def ask(method, path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(api + path, data=data, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
    return urllib.request.urlopen(request)
with ask("POST", "/2020-01-01/extension/register", {"events": ["INVOKE", "SHUTDOWN"]}, Lambda_Extension_Name="taker") as answer:
    own = answer.headers["Lambda-Extension-Identifier"]
ask("PUT", "/2022-07-01/telemetry", {
    "schemaVersion": "2022-12-13", "types": ["platform", "function", "extension"], "buffering": {"timeoutMs": 25},
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8085/"}}, Lambda_Extension_Identifier=own).close()
while True:
    with ask("GET", "/2020-01-01/extension/event/next", Lambda_Extension_Identifier=own) as answer:
        if json.load(answer)["eventType"] == "SHUTDOWN": break
'''


def archive(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o755 << 16
            zipped.writestr(entry, text)
    return buffer.getvalue()


def until(what, look, seconds=60):
    deadline = time.time() + seconds
    while time.time() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come")


def refused(name, words, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == name and words in error.response["Error"]["Message"], error.response
        return
    raise AssertionError(f"{name} was expected")


def log(name, query=""):
    with urllib.request.urlopen(f"{endpoint}/forkless/v1/functions/{name}/logs{query}") as answer:
        return [line.split(" ", 3)[-1] for line in answer.read().decode().splitlines()]


def told(path):
    # The last line may be half written.
    return [json.loads(line) for line in open(path).read().split("\n")[:-1]] if os.path.exists(path) else []


# Telemetry.
out = os.path.join(directory, "out")
os.mkdir(out)
os.chmod(out, 0o777)
layer = functions.publish_layer_version(
    LayerName="taker",
    Content={"ZipFile": archive({"extensions/taker": EXTENSION.replace("PYTHON", interpreter)})})
functions.create_function(
    FunctionName="watched", Runtime=runtime, Role=role, Handler="app.handler", Code={"ZipFile": archive({"app.py": CODE})},
    Timeout=20, MemorySize=512, Layers=[layer["LayerVersionArn"]],
    FileSystemConfigs=[{"Arn": f"arn:forkless:directory:us-east-1:000000000000:{out}", "LocalMountPath": "/mnt/out"}])
functions.get_waiter("function_active_v2").wait(FunctionName="watched")
answer = functions.invoke(FunctionName="watched", Payload=json.dumps({"word": "one"}))
assert "FunctionError" not in answer, (answer["Payload"].read(), log("watched"))
request = answer["ResponseMetadata"]["RequestId"]
telemetry = out + "/telemetry"
report = until("the report of the call", lambda: [e for e in told(telemetry) if e["type"] == "platform.report"])[0]
assert report["record"]["requestId"] == request and report["record"]["status"] == "success", report
until("what the function printed", lambda: any(e["type"] == "function" and "printed one" in e["record"] for e in told(telemetry)))
types = [event["type"] for event in told(telemetry)]
assert "platform.telemetrySubscription" in types and types.index("platform.start") < types.index("platform.report"), types

# The log, as text and as JSON; only its end; followed while it grows.
lines = log("watched")
assert "printed one" in lines and any(l.startswith(f"REPORT RequestId: {request}") for l in lines), lines
assert log("watched", "?lines=1") == lines[-1:]
functions.create_function(
    FunctionName="structured", Runtime=runtime, Role=role, Handler="app.handler", Code={"ZipFile": archive({"app.py": CODE})},
    Timeout=20, LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"})
functions.get_waiter("function_active_v2").wait(FunctionName="structured")
request = functions.invoke(FunctionName="structured", Payload=json.dumps({"word": "two"}))["ResponseMetadata"]["RequestId"]


def structured():
    found = []
    for line in log("structured"):
        try: found.append(json.loads(line))
        except ValueError: pass
    return found if any(one.get("type") == "platform.report" for one in found) else None


records = until("the report as JSON", structured)
report = next(one for one in records if one.get("type") == "platform.report")
assert report["record"]["requestId"] == request and report["record"]["metrics"]["memorySizeMB"] == 128, report
logged = next(one for one in records if one.get("message") == "logged two")
assert logged["level"] == "INFO" and logged["requestId"] == request, logged
with urllib.request.urlopen(f"{endpoint}/forkless/v1/functions/structured/logs?lines=0&follow=true", timeout=30) as followed:
    functions.invoke(FunctionName="structured", Payload=json.dumps({"word": "three"}))
    while b"printed three" not in followed.readline():
        pass

# An image whose entry point speaks the Runtime API.
functions.create_function(FunctionName="image", PackageType="Image", Code={"ImageUri": image}, Role=role, Timeout=20)
functions.get_waiter("function_active_v2").wait(FunctionName="image")
got = functions.get_function(FunctionName="image")
assert got["Configuration"]["PackageType"] == "Image" and got["Code"]["ImageUri"] == image, got
answer = functions.invoke(FunctionName="image", Payload=b'"any"')
body = answer["Payload"].read()
assert "FunctionError" not in answer and body == b'"any"', (body, log("image"))
functions.update_function_configuration(FunctionName="image", ImageConfig={"EntryPoint": ["/nowhere"]})
functions.get_waiter("function_updated_v2").wait(FunctionName="image")
answer = functions.invoke(FunctionName="image", Payload=b"1")
body = json.loads(answer["Payload"].read())
assert answer.get("FunctionError") == "Unhandled" and body["errorType"] == "Runtime.InvalidEntrypoint", body
refused("InvalidParameterValueException", "nowhere:1", functions.create_function,
        FunctionName="none", PackageType="Image", Code={"ImageUri": "nowhere:1"}, Role=role)

# What the service has and Forkless has not, said in words.
code = {"ZipFile": archive({"app.py": CODE})}
base = dict(FunctionName="other", Runtime=runtime, Role=role, Handler="app.handler", Code=code)
invalid = "InvalidParameterValueException"
refused(invalid, "not kept apart by tenants", functions.create_function, **base, TenancyConfig={"TenantIsolationMode": "PER_TENANT"})
refused(invalid, "durable executions are not offered", functions.create_function, **base,
        DurableConfig={"ExecutionTimeout": 60, "RetentionPeriodInDays": 1})
refused(invalid, "Forkless has no tenants", functions.invoke, FunctionName="watched", TenantId="blue", Payload=b"{}")
refused(invalid, "no durable executions", functions.invoke, FunctionName="watched", DurableExecutionName="long", Payload=b"{}")
assert {f["FunctionName"] for f in functions.list_functions()["Functions"]} == {"watched", "structured", "image"}

for name in ("watched", "structured", "image"):
    functions.delete_function(FunctionName=name)
print("ok")
