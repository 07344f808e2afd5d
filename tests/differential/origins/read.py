"""Reads responses with http.client: lines of JSON on standard input, each methods and what a server sent; what it makes of them on standard output."""

import base64
import http.client
import io
import json
import sys


class Octets:
    def __init__(self, octets):
        self.stream = io.BufferedReader(io.BytesIO(octets))
        self.stream.close = lambda: None

    def makefile(self, _mode):
        return self.stream


for line in sys.stdin:
    question = json.loads(line)
    source = Octets(base64.b64decode(question["octets"]))
    answers = []
    for method in question["methods"]:
        try:
            response = http.client.HTTPResponse(source, method=method)
            response.begin()
            # begin() reads over 100 only.
            while response.status in (102, 103):
                response = http.client.HTTPResponse(source, method=method)
                response.begin()
            body = response.read()
        except (http.client.HTTPException, OSError, ValueError):
            break
        answers.append({"status": response.status, "body": base64.b64encode(body).decode()})
        if response.will_close:
            break
    print(json.dumps(answers), flush=True)
