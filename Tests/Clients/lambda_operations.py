"""Drives every operation of the Lambda API with AWS's own clients against a node, and checks what they make of its answers.

    lambda_operations.py boto3|cli ENDPOINT RUNTIME [--keys ID SECRET]

Works against any door whose functions do what their handlers say: a node, or a door in a test whose invoker answers in their
place. What it makes it removes again. Prints one line, "ok", when everything was as it should be.
"""

import base64
import contextlib
import io
import json
import os
import sys
import tempfile
import zipfile

import boto3
import botocore.config
import botocore.exceptions

ROLE = "arn:aws:iam::000000000000:role/any"
HANDLER = """
import json
def handler(event, context):
    if isinstance(event, dict) and "fail" in event:
        raise RuntimeError(event["fail"])
    if isinstance(event, dict) and "version" in event:
        return context.function_version
    if isinstance(event, dict) and "context" in event:
        return context.client_context.custom if context.client_context else None
    return event
"""


def archive(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as out:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o755 << 16
            out.writestr(entry, text)
    return data.getvalue()


class Refused(Exception):
    """An error of the service: its name, and its status where the client tells it."""

    def __init__(self, operation, name, status, message):
        super().__init__(f"{operation}: {name} ({status}): {message}")
        self.name, self.status, self.message = name, status, message


class Boto3:
    def __init__(self, endpoint):
        config = botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=60, connect_timeout=10)
        self.client = boto3.client("lambda", endpoint_url=endpoint, config=config)
        self.called = set()

    def __call__(self, operation, **parameters):
        self.called.add(operation)
        method = boto3.session.botocore.xform_name(operation)
        try:
            answer = getattr(self.client, method)(**parameters)
        except botocore.exceptions.ClientError as error:
            found = error.response
            raise Refused(
                operation, found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"], found["Error"]["Message"])
        about = answer.pop("ResponseMetadata")
        assert about["HTTPHeaders"].get("x-amzn-requestid"), (operation, about)
        answer["_status"] = about["HTTPStatusCode"]
        if operation == "Invoke":
            answer["Payload"] = answer["Payload"].read()
        if operation == "InvokeWithResponseStream":
            answer["EventStream"] = list(answer["EventStream"])
        return answer


class CommandLine:
    """The aws command, in this process: its start takes longer than all it does."""

    files = {"ZipFile": "--zip-file", "Content": "--zip-file"}

    def __init__(self, endpoint):
        import awscli.clidriver

        self.endpoint, self.driver, self.called = endpoint, awscli.clidriver.create_clidriver(), set()
        self.directory = tempfile.mkdtemp(prefix="forkless-cli-")
        os.environ["AWS_MAX_ATTEMPTS"] = "1"

    def __call__(self, operation, **parameters):
        if operation in ("InvokeWithResponseStream",):
            return None  # the command line does not have it
        self.called.add(operation)
        words = ["lambda", boto3.session.botocore.xform_name(operation, "-"), "--endpoint-url", self.endpoint, "--output", "json"]
        parameters = json.loads(json.dumps(parameters, default=lambda data: "base64:" + base64.b64encode(data).decode()))
        outfile = os.path.join(self.directory, "out")
        if operation == "Invoke":
            words += ["--payload", "file://" + self.file(parameters.pop("Payload", ""))]
        if operation == "InvokeAsync":
            words += ["--invoke-args", self.file(parameters.pop("InvokeArgs"))]
        code = parameters.get("Code") or parameters
        for key in ("ZipFile",):
            if isinstance(code.get(key), str):
                words += ["--zip-file", "fileb://" + self.file(code.pop(key))]
        content = parameters.pop("Content", None)
        if content:
            words += ["--zip-file", "fileb://" + self.file(content["ZipFile"])]
        if parameters.get("Code") == {}:
            parameters.pop("Code")
        words += self.options(operation, parameters)
        if operation == "Invoke":
            words.append(outfile)
        elif operation.startswith("List") and operation != "ListTags":
            words.append("--no-paginate")
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = self.driver.main(words)
            except SystemExit as end:
                status = end.code
        if status:
            text = err.getvalue().strip()
            if "An error occurred (" not in text:
                raise AssertionError(f"aws {' '.join(words)}: {status}: {text}")
            name = text.split("An error occurred (")[1].split(")")[0]
            raise Refused(operation, name, None, text)
        answer = json.loads(out.getvalue() or "{}")
        answer["_status"] = answer.get("StatusCode")
        if operation == "Invoke":
            with open(outfile, "rb") as file:
                answer["Payload"] = file.read()
        return answer

    def file(self, content):
        data = base64.b64decode(content[7:]) if content.startswith("base64:") else content.encode()
        path = os.path.join(self.directory, "in")
        with open(path, "wb") as file:
            file.write(data)
        return path

    def options(self, operation, parameters):
        words = []
        for name, value in parameters.items():
            option = "--" + boto3.session.botocore.xform_name(name, "-")
            if operation == "PublishVersion" and name == "CodeSha256":
                option = "--code-sha256"
            if operation == "AddPermission" and name == "FunctionUrlAuthType":
                option = "--function-url-auth-type"
            if isinstance(value, bool):
                words.append(option if value else option.replace("--", "--no-", 1))
            elif isinstance(value, (dict, list)):
                words += [option, json.dumps(value)]
            else:
                words += [option, str(value)]
        return words


def refused(name, call, *words, status=None, **parameters):
    try:
        answer = call(*words, **parameters)
    except Refused as refusal:
        assert refusal.name == name, f"expected {name}, got {refusal}"
        assert status is None or refusal.status in (None, status), f"expected {status}, got {refusal}"
        return refusal
    raise AssertionError(f"{words} {parameters} was not refused but answered {answer}")


def functions(call, runtime):
    made = call(
        "CreateFunction", FunctionName="ops", Runtime=runtime, Role=ROLE, Handler="app.handler", Description="first",
        Code={"ZipFile": archive({"app.py": HANDLER})}, Environment={"Variables": {"LEVEL": "1"}}, Tags={"team": "door"}, Timeout=30)
    assert made["FunctionName"] == "ops" and made["Version"] == "$LATEST" and made["State"] in ("Active", "Pending"), made
    assert made["FunctionArn"].endswith(":function:ops"), made
    assert made["LastModified"].endswith("+0000"), made
    refused(
        "ResourceConflictException", call, "CreateFunction", status=409, FunctionName="ops", Runtime=runtime, Role=ROLE,
        Handler="app.handler", Code={"ZipFile": archive({"app.py": HANDLER})})
    refused("InvalidParameterValueException", call, "CreateFunction", status=400, FunctionName="other", Runtime="nodejs22.x",
            Role=ROLE, Handler="a.b", Code={"ZipFile": archive({"a.js": ""})})
    got = call("GetFunction", FunctionName="ops")
    assert got["Configuration"]["CodeSha256"] == made["CodeSha256"], got
    assert got["Tags"]["team"] == "door" and got["Code"]["Location"], got
    download(got["Code"]["Location"], made["CodeSize"])
    assert call("GetFunction", FunctionName=made["FunctionArn"] + ":$LATEST")["Configuration"]["FunctionName"] == "ops"
    refused("ResourceNotFoundException", call, "GetFunction", status=404, FunctionName="missing")
    config = call("GetFunctionConfiguration", FunctionName="ops")
    assert config["Environment"]["Variables"] == {"LEVEL": "1"} and config["Timeout"] == 30, config
    listed = call("ListFunctions")
    assert "ops" in [f["FunctionName"] for f in listed["Functions"]], listed
    changed = call("UpdateFunctionConfiguration", FunctionName="ops", Description="second", MemorySize=256)
    assert changed["Description"] == "second" and changed["MemorySize"] == 256, changed
    refused("PreconditionFailedException", call, "UpdateFunctionConfiguration", status=412, FunctionName="ops",
            Description="x", RevisionId=made["RevisionId"])
    new = call("UpdateFunctionCode", FunctionName="ops", ZipFile=archive({"app.py": HANDLER + "\n# new\n"}))
    assert new["CodeSha256"] != made["CodeSha256"], new
    return new


def download(location, size):
    import urllib.request

    with urllib.request.urlopen(location) as answer:
        data = answer.read()
    assert len(data) == size and zipfile.ZipFile(io.BytesIO(data)).namelist() == ["app.py"], location


def invocations(call):
    event = {"a": [1, 2, {"b": "ü"}]}
    answer = call("Invoke", FunctionName="ops", Payload=json.dumps(event).encode(), LogType="Tail")
    assert answer["StatusCode"] == 200 and json.loads(answer["Payload"]) == event, answer
    assert answer["ExecutedVersion"] == "$LATEST" and "FunctionError" not in answer, answer
    log = base64.b64decode(answer["LogResult"]).decode()
    assert "START RequestId: " in log and "REPORT RequestId: " in log, log
    failed = call("Invoke", FunctionName="ops", Payload=b'{"fail":"on purpose"}')
    assert failed["FunctionError"] == "Unhandled" and failed["StatusCode"] == 200, failed
    assert json.loads(failed["Payload"])["errorMessage"] == "on purpose", failed
    context = base64.b64encode(b'{"custom":{"desk":"7"}}').decode()
    answer = call("Invoke", FunctionName="ops", Payload=b'{"context":1}', ClientContext=context)
    assert json.loads(answer["Payload"]) == {"desk": "7"}, answer
    assert call("Invoke", FunctionName="ops", InvocationType="DryRun", Payload=b"{}")["StatusCode"] == 204
    queued = call("Invoke", FunctionName="ops", InvocationType="Event", Payload=b"{}")
    assert queued["StatusCode"] == 202 and queued["Payload"] == b"", queued
    assert call("InvokeAsync", FunctionName="ops", InvokeArgs=b"{}")["Status"] == 202
    refused("InvalidRequestContentException", call, "Invoke", status=400, FunctionName="ops", Payload=b"{broken")
    refused("ResourceNotFoundException", call, "Invoke", status=404, FunctionName="missing", Payload=b"{}")
    refused("ResourceNotFoundException", call, "Invoke", status=404, FunctionName="ops", Qualifier="77", Payload=b"{}")
    refused("InvalidParameterValueException", call, "Invoke", status=400, FunctionName="ops:1", Qualifier="2", Payload=b"{}")
    refused("RequestTooLargeException", call, "Invoke", status=413, FunctionName="ops", Payload=b'"' + b"x" * 6291455 + b'"')
    refused("RequestTooLargeException", call, "Invoke", status=413, FunctionName="ops", InvocationType="Event",
            Payload=b'"' + b"x" * (1 << 20) + b'"')
    streamed = call("InvokeWithResponseStream", FunctionName="ops", Payload=b'{"a":1}', LogType="Tail")
    if streamed:
        parts = b"".join(event["PayloadChunk"]["Payload"] for event in streamed["EventStream"] if "PayloadChunk" in event)
        assert json.loads(parts) == {"a": 1}, streamed
        assert "REPORT" in base64.b64decode(streamed["EventStream"][-1]["InvokeComplete"]["LogResult"]).decode(), streamed
        failed = call("InvokeWithResponseStream", FunctionName="ops", Payload=b'{"fail":"midway"}')
        assert failed["EventStream"][-1]["InvokeComplete"]["ErrorCode"] == "Unhandled", failed


def versions(call, code):
    one = call("PublishVersion", FunctionName="ops", Description="one", CodeSha256=code["CodeSha256"])
    assert one["Version"] == "1" and one["FunctionArn"].endswith(":ops:1"), one
    assert call("PublishVersion", FunctionName="ops")["Version"] == "1"
    call("UpdateFunctionConfiguration", FunctionName="ops", Description="third", Timeout=31)
    assert call("PublishVersion", FunctionName="ops")["Version"] == "2"
    listed = call("ListVersionsByFunction", FunctionName="ops")
    assert [v["Version"] for v in listed["Versions"]] == ["$LATEST", "1", "2"], listed
    page = call("ListVersionsByFunction", FunctionName="ops", MaxItems=2)
    assert len(page["Versions"]) == 2 and page["NextMarker"], page
    rest = call("ListVersionsByFunction", FunctionName="ops", Marker=page["NextMarker"])
    assert [v["Version"] for v in rest["Versions"]] == ["2"], rest
    alias = call("CreateAlias", FunctionName="ops", Name="live", FunctionVersion="1", Description="what runs")
    assert alias["AliasArn"].endswith(":ops:live"), alias
    refused("ResourceConflictException", call, "CreateAlias", status=409, FunctionName="ops", Name="live", FunctionVersion="1")
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    changed = call("UpdateAlias", FunctionName="ops", Name="live", RoutingConfig=weights, RevisionId=alias["RevisionId"])
    assert changed["RoutingConfig"] == weights, changed
    assert call("GetAlias", FunctionName="ops", Name="live")["FunctionVersion"] == "1"
    assert [a["Name"] for a in call("ListAliases", FunctionName="ops")["Aliases"]] == ["live"]
    ran = {call("Invoke", FunctionName="ops:live", Payload=b'{"version":1}')["ExecutedVersion"] for _ in range(40)}
    assert ran == {"1", "2"}, ran
    assert call("Invoke", FunctionName="ops", Qualifier="2", Payload=b"{}")["ExecutedVersion"] == "2"


def settings(call, arn):
    assert call("PutFunctionConcurrency", FunctionName="ops", ReservedConcurrentExecutions=5)["ReservedConcurrentExecutions"] == 5
    assert call("GetFunctionConcurrency", FunctionName="ops")["ReservedConcurrentExecutions"] == 5
    call("DeleteFunctionConcurrency", FunctionName="ops")
    assert "ReservedConcurrentExecutions" not in call("GetFunctionConcurrency", FunctionName="ops")
    put = call("PutProvisionedConcurrencyConfig", FunctionName="ops", Qualifier="1", ProvisionedConcurrentExecutions=1)
    assert put["RequestedProvisionedConcurrentExecutions"] == 1 and put["Status"] in ("IN_PROGRESS", "READY"), put
    assert call("GetProvisionedConcurrencyConfig", FunctionName="ops", Qualifier="1")["RequestedProvisionedConcurrentExecutions"] == 1
    listed = call("ListProvisionedConcurrencyConfigs", FunctionName="ops")["ProvisionedConcurrencyConfigs"]
    assert [c["FunctionArn"] for c in listed] == [arn + ":1"], listed
    call("DeleteProvisionedConcurrencyConfig", FunctionName="ops", Qualifier="1")
    refused("ProvisionedConcurrencyConfigNotFoundException", call, "GetProvisionedConcurrencyConfig", status=404,
            FunctionName="ops", Qualifier="1")
    put = call("PutFunctionEventInvokeConfig", FunctionName="ops", MaximumRetryAttempts=1, MaximumEventAgeInSeconds=600)
    assert put["MaximumRetryAttempts"] == 1, put
    changed = call("UpdateFunctionEventInvokeConfig", FunctionName="ops", MaximumRetryAttempts=0)
    assert changed["MaximumEventAgeInSeconds"] == 600 and changed["MaximumRetryAttempts"] == 0, changed
    assert call("GetFunctionEventInvokeConfig", FunctionName="ops")["MaximumRetryAttempts"] == 0
    assert len(call("ListFunctionEventInvokeConfigs", FunctionName="ops")["FunctionEventInvokeConfigs"]) == 1
    call("DeleteFunctionEventInvokeConfig", FunctionName="ops")
    refused("ResourceNotFoundException", call, "GetFunctionEventInvokeConfig", status=404, FunctionName="ops")
    call("TagResource", Resource=arn, Tags={"cost": "centre 7"})
    assert call("ListTags", Resource=arn)["Tags"]["cost"] == "centre 7"
    call("UntagResource", Resource=arn, TagKeys=["cost"])
    assert "cost" not in call("ListTags", Resource=arn)["Tags"]
    added = call("AddPermission", FunctionName="ops", StatementId="one", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
    assert json.loads(added["Statement"])["Sid"] == "one", added
    policy = call("GetPolicy", FunctionName="ops")
    assert json.loads(policy["Policy"])["Statement"][0]["Sid"] == "one", policy
    call("RemovePermission", FunctionName="ops", StatementId="one", RevisionId=policy["RevisionId"])
    refused("ResourceNotFoundException", call, "GetPolicy", status=404, FunctionName="ops")
    account = call("GetAccountSettings")
    assert account["AccountLimit"]["ConcurrentExecutions"] > 0 and account["AccountUsage"]["FunctionCount"] >= 1, account
    assert call("PutRuntimeManagementConfig", FunctionName="ops", UpdateRuntimeOn="Auto")["UpdateRuntimeOn"] == "Auto"
    assert call("GetRuntimeManagementConfig", FunctionName="ops")["UpdateRuntimeOn"] == "Auto"
    assert call("PutFunctionRecursionConfig", FunctionName="ops", RecursiveLoop="Allow")["RecursiveLoop"] == "Allow"
    assert call("GetFunctionRecursionConfig", FunctionName="ops")["RecursiveLoop"] == "Allow"


def urls(call):
    made = call("CreateFunctionUrlConfig", FunctionName="ops", AuthType="NONE", Cors={"AllowOrigins": ["*"]})
    assert "lambda-url" in made["FunctionUrl"], made
    changed = call("UpdateFunctionUrlConfig", FunctionName="ops", InvokeMode="RESPONSE_STREAM")
    assert changed["InvokeMode"] == "RESPONSE_STREAM", changed
    assert call("GetFunctionUrlConfig", FunctionName="ops")["AuthType"] == "NONE"
    assert len(call("ListFunctionUrlConfigs", FunctionName="ops")["FunctionUrlConfigs"]) == 1
    call("AddPermission", FunctionName="ops", StatementId="public", Action="lambda:InvokeFunctionUrl", Principal="*",
         FunctionUrlAuthType="NONE")
    call("RemovePermission", FunctionName="ops", StatementId="public")
    call("DeleteFunctionUrlConfig", FunctionName="ops")
    refused("ResourceNotFoundException", call, "GetFunctionUrlConfig", status=404, FunctionName="ops")


def mappings(call):
    source = "arn:forkless:schedule:us-east-1:000000000000:rate(1 day)"
    made = call("CreateEventSourceMapping", FunctionName="ops", EventSourceArn=source, Enabled=False)
    assert made["EventSourceArn"] == source and made["UUID"], made
    uuid = made["UUID"]
    assert call("GetEventSourceMapping", UUID=uuid)["UUID"] == uuid
    assert uuid in [m["UUID"] for m in call("ListEventSourceMappings", FunctionName="ops")["EventSourceMappings"]]
    assert call("UpdateEventSourceMapping", UUID=uuid, Enabled=True)["UUID"] == uuid
    assert call("DeleteEventSourceMapping", UUID=uuid)["UUID"] == uuid
    refused("ResourceNotFoundException", call, "GetEventSourceMapping", status=404, UUID=uuid)


def layers(call):
    made = call("PublishLayerVersion", LayerName="shared", Description="one", Content={"ZipFile": archive({"python/l.py": "x = 1\n"})})
    assert made["Version"] == 1, made
    assert call("GetLayerVersion", LayerName="shared", VersionNumber=1)["Description"] == "one"
    assert call("GetLayerVersionByArn", Arn=made["LayerVersionArn"])["Version"] == 1
    assert [layer["LayerName"] for layer in call("ListLayers")["Layers"]] == ["shared"]
    assert len(call("ListLayerVersions", LayerName="shared")["LayerVersions"]) == 1
    added = call("AddLayerVersionPermission", LayerName="shared", VersionNumber=1, StatementId="all",
                 Action="lambda:GetLayerVersion", Principal="*")
    assert json.loads(added["Statement"])["Sid"] == "all", added
    assert "Policy" in call("GetLayerVersionPolicy", LayerName="shared", VersionNumber=1)
    call("RemoveLayerVersionPermission", LayerName="shared", VersionNumber=1, StatementId="all")
    config = call("UpdateFunctionConfiguration", FunctionName="ops", Layers=[made["LayerVersionArn"]])
    assert [layer["Arn"] for layer in config["Layers"]] == [made["LayerVersionArn"]], config
    call("UpdateFunctionConfiguration", FunctionName="ops", Layers=[])
    call("DeleteLayerVersion", LayerName="shared", VersionNumber=1)
    refused("ResourceNotFoundException", call, "GetLayerVersion", status=404, LayerName="shared", VersionNumber=1)


def unsupported(endpoint):
    """What the service has and Forkless has not is refused by its name."""
    config = botocore.config.Config(parameter_validation=False, retries={"total_max_attempts": 1})
    client = boto3.client("lambda", endpoint_url=endpoint, config=config)
    names = []
    for name in client.meta.service_model.operation_names:
        if not any(part in name for part in ("CodeSigning", "CapacityProvider", "Durable", "ResourcePolicy", "ScalingConfig")):
            continue
        shape = client.meta.service_model.operation_model(name).input_shape
        words = {key: "some" for key, member in shape.members.items() if member.serialization.get("location") == "uri"}
        try:
            getattr(client, boto3.session.botocore.xform_name(name))(**words)
            raise AssertionError(f"{name} is supported?")
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "UnknownOperationException", (name, error)
            assert name in error.response["Error"]["Message"], (name, error)
        names.append(name)
    return names


def main(mode, endpoint, runtime):
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "secret")
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    call = Boto3(endpoint) if mode == "boto3" else CommandLine(endpoint)
    code = functions(call, runtime)
    invocations(call)
    versions(call, code)
    settings(call, code["FunctionArn"])
    urls(call)
    mappings(call)
    layers(call)
    call("DeleteAlias", FunctionName="ops", Name="live")
    call("DeleteFunction", FunctionName="ops", Qualifier="1")
    call("DeleteFunction", FunctionName="ops")
    refused("ResourceNotFoundException", call, "DeleteFunction", status=404, FunctionName="ops")
    without = unsupported(endpoint)
    model = boto3.client("lambda", endpoint_url=endpoint).meta.service_model
    left = set(model.operation_names) - call.called - set(without)
    if mode == "cli":
        left -= {"InvokeWithResponseStream"}
    assert not left, f"never called: {sorted(left)}"
    print("ok")


if __name__ == "__main__":
    main(*sys.argv[1:4])
