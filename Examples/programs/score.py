"""A worker: one JSON line per request on stdin, lines with the same id on stdout. See docs/programs.md."""

import json
import sys


def say(request, **keys):
    print(json.dumps({"id": request["id"], **keys}), flush=True)


def ask(request, ref, **keys):
    """Asks the engine and returns its answer."""
    say(request, ref=ref, **keys)
    return json.loads(sys.stdin.readline())


def look_up(request, name):
    """A paid call: made once for each name, whoever asks and however often the run is resumed."""
    decision = ask(
        request, "look-up",
        call={"service": "registry", "operation": "company", "key": {"name": name}, "maximum_cost": 0.75})
    if decision["decision"] == "hit":
        return decision["value"]
    if decision["decision"] == "refused":
        raise RuntimeError(f"the look-up was refused: {decision['reason']}")
    # Here a web service would be called, with decision["idempotency_key"] in its header Idempotency-Key.
    company = {"name": name.title(), "years": len(name) % 20}
    say(request, ref="look-up", settle={"cost": 0.75, "value": company})
    return company


def pages(request, document):
    """A step: its value is saved, and a resumed run takes it from there."""
    decision = ask(request, "pages", step="pages")
    if decision["decision"] == "saved":
        return decision["value"]
    # Charged before the work: a budget that is spent refuses it.
    decision = ask(request, "ocr", charge={"service": "ocr", "operation": "page", "quantity": document["pages"]})
    if decision["decision"] == "refused":
        raise RuntimeError(f"the pages were refused: {decision['reason']}")
    texts = [f"page {number + 1}" for number in range(document["pages"])]
    ask(request, "pages", checkpoint={"step": "pages", "value": texts})
    return texts


for line in sys.stdin:
    request = json.loads(line)
    document = request["data"]
    try:
        company = look_up(request, document["company"])
        texts = pages(request, document)
        score = company["years"] + len(texts) >= request["context"]["settings"]["enough"]
        say(request, output={"company": company["name"], "pages": len(texts), "accepted": score})
    except (KeyError, TypeError) as error:
        say(request, error={"code": "validation", "message": f"not a document: {error!r}",
                            "exception": type(error).__name__})
    except RuntimeError as error:
        say(request, error={"code": "processing", "message": str(error), "retryable": False})
