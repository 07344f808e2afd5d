"""An origin for WSGI servers that tells what it was sent: a line of JSON per request on standard output."""

import base64
import hashlib
import json
import sys
import threading

lock = threading.Lock()


def app(environ, start_response):
    body = environ["wsgi.input"].read()
    view = {
        "peer": environ["REMOTE_ADDR"],
        "method": environ["REQUEST_METHOD"],
        "target": environ["RAW_URI"],
        "host": environ.get("HTTP_HOST", ""),
        "body": base64.b64encode(body).decode(),
    }
    with lock:
        sys.stdout.write(json.dumps(view) + "\n")
        sys.stdout.flush()
    answer = f"{view['method']} {view['target']} {hashlib.sha1(body).hexdigest()}".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [] if view["method"] == "HEAD" else [answer]
