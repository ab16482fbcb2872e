"""Signs random requests with botocore, as a client would send them: one JSON object a line. sign_requests.py COUNT SEED"""

import datetime
import json
import random
import sys

import botocore.auth
import botocore.awsrequest
import botocore.credentials

count, seed = int(sys.argv[1]), int(sys.argv[2])
chance = random.Random(seed)
keys = botocore.credentials.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")

names = ["echo", "echo%3Alive", "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aecho", "a-b_c", "%C3%BC~", "a.b", "x%20y"]
queries = ["", "Qualifier=%24LATEST", "Marker=a%2Fb%3D&MaxItems=3", "tagKeys=b&tagKeys=a&tagKeys=%C3%BC", "Empty=", "List=ALL", "a=%2B"]

for number in range(count):
    method = chance.choice(["GET", "POST", "PUT", "DELETE"])
    path = "/2015-03-31/functions/" + chance.choice(names) + chance.choice(["", "/invocations", "/", "/a/../b", "//c"])
    query = chance.choice(queries)
    body = bytes(chance.randrange(256) for _ in range(chance.randrange(40))) if method in ("POST", "PUT") else b""
    headers = {"X-Amz-Log-Type": "Tail"} if chance.random() < 0.5 else {}
    if chance.random() < 0.5:
        headers["X-Amz-Client-Context"] = "  two   spaces "
    if chance.random() < 0.5:
        headers["Content-Type"] = "application/json"
    url = "http://127.0.0.1:3001" + path + ("?" + query if query else "")
    request = botocore.awsrequest.AWSRequest(method, url, headers=headers, data=body)
    if not body and chance.random() < 0.5:  # this signer takes a body for a form
        signer = botocore.auth.SigV4QueryAuth(keys, "lambda", "us-east-1", expires=60)
    else:
        signer = botocore.auth.SigV4Auth(keys, "lambda", "us-east-1")
    signer.add_auth(request)
    target = request.url.split("3001", 1)[1]
    fields = [[name, value] for name, value in request.headers.items()]
    fields += [["Host", "127.0.0.1:3001"], ["User-Agent", "aws-cli"], ["amz-sdk-invocation-id", "7"]]
    print(json.dumps({"method": method, "target": target, "headers": fields, "body": list(body)}))
