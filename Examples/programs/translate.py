"""A worker that tells a plan what each input is going to cost. See docs/programs.md."""

import json
import sys


def say(request, **keys):
    print(json.dumps({"id": request["id"], **keys}), flush=True)


def ask(request, ref, **keys):
    """Asks the engine and returns its answer."""
    say(request, ref=ref, **keys)
    return json.loads(sys.stdin.readline())


def translate(request, words, key):
    """A paid call: made once for each text, whoever asks."""
    cost = round(len(words) * request["context"]["settings"]["price"], 2)
    decision = ask(request, "1", call={"service": "translator", "operation": "word", "key": key, "maximum_cost": cost})
    if decision["decision"] == "hit":
        return decision["value"]
    if decision["decision"] == "refused":
        raise RuntimeError(f"the translation was refused: {decision['reason']}")
    # Here a web service would be called, with decision["idempotency_key"] in its header Idempotency-Key.
    text = " ".join(word[::-1] for word in words)
    say(request, ref="1", settle={"cost": cost, "value": text})
    return text


for line in sys.stdin:
    request = json.loads(line)
    words = request["data"].split()
    # The same key as the call's: what is paid for already will not be paid again.
    key = {"text": request["data"]}
    try:
        if request["step"] == "plan":
            # Nothing is done here, and nothing may be paid.
            say(request, expects=[
                {"service": "translator", "operation": "word", "quantity": len(words), "key": key}])
        else:
            say(request, output=translate(request, words, key))
    except RuntimeError as error:
        say(request, error={"code": "processing", "message": str(error), "retryable": False})
