"""The nodes of decision.yaml: each is a worker that answers JSON lines. See docs/programs.md."""

import json
import sys


def say(request, **keys):
    print(json.dumps({"id": request["id"], **keys}), flush=True)


def factors(request):
    """What counts of all statements in a file."""
    statements = request["data"]["statements"]
    found = [statement["factors"] for statement in statements]
    return {
        "account": statements[0]["account"],
        "days": sum(one["days"] or 0 for one in found),
        "days_negative": sum(one["days_negative"] or 0 for one in found),
        "deposits": sum(one["deposits_count"] or 0 for one in found),
    }


def search(request):
    """A paid look-up of the business behind an account: made once for each account."""
    account = request["data"]["statements"][0]["account"] or "unknown"
    say(request, ref="look-up", call={
        "service": "registry", "operation": "business", "key": {"account": account}, "maximum_cost": 0.75})
    decision = json.loads(sys.stdin.readline())
    if decision["decision"] == "hit":
        return decision["value"]
    if decision["decision"] == "refused":
        raise RuntimeError(f"the look-up was refused: {decision['reason']}")
    # Here a web service would be asked, with decision["idempotency_key"] in its header Idempotency-Key.
    business = {"account": account, "known": account != "unknown"}
    say(request, ref="look-up", settle={"cost": 0.75, "value": business})
    return business


def decision(request):
    """Yes, no, or a look by a person, with the reasons."""
    found, business = request["data"]["factors"], request["data"]["business"]
    settings = request["context"]["settings"]
    reasons = []
    if not business["known"]:
        reasons.append("the business is not known")
    if found["days"] < settings["least_days"]:
        reasons.append(f"only {found['days']} days")
    if found["days_negative"] > settings["most_negative_days"]:
        reasons.append(f"{found['days_negative']} days negative")
    return {"decision": "refer" if reasons else "approve", "reasons": reasons}


work = {"factors": factors, "search": search, "decision": decision}[sys.argv[1]]
for line in sys.stdin:
    request = json.loads(line)
    try:
        say(request, output=work(request))
    except (KeyError, IndexError, TypeError) as error:
        say(request, error={"code": "validation", "message": f"not a statement: {error!r}"})
    except RuntimeError as error:
        say(request, error={"code": "processing", "message": str(error), "retryable": False})
