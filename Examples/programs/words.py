"""Started for each request: data on stdin, the output on stdout, exit status 0 when all is well."""

import json
import sys

text = json.load(sys.stdin)
if not isinstance(text, str):
    sys.exit("the data must be text")
json.dump({"words": len(text.split())}, sys.stdout)
