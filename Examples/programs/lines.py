"""A worker that opens the file of each input: a line on stdin is a request, a line on stdout its answer."""

import json
import sys

for line in sys.stdin:
    request = json.loads(line)
    # An absolute path: it opens from any working folder.
    with open(request["file"]["path"], encoding="utf-8") as file:
        lines = file.read().splitlines()
    output = {"name": request["file"]["name"], "lines": len(lines)}
    print(json.dumps({"id": request["id"], "output": output}), flush=True)
