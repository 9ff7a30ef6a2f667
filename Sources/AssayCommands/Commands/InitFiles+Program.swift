extension InitFiles {
    static let program = "program.yaml"
    static let documents = "documents.jsonl"

    /// A processor in Python, its pipeline, and its inputs.
    static let programFiles: [(path: String, text: String)] = [
        (program, programText), ("program.py", pythonText), (documents, documentsText),
    ]

    private static let programText = """
        # Runs a program of your own over inputs, one JSON line each.
        #
        #   assay run program.yaml --inputs documents.jsonl
        #
        run_as: processor

        # As many programs at once, each with one input at a time.
        runner: {type: thread, max_workers: 2}

        processors:
          - processor_id: program
            processor_type: command
            # The longest one input may take; the program is then ended and another one started.
            timeout: 30s
            parameters:
              # Program and arguments, never a line for a shell. ./ is the folder of this file.
              command: [python3, ./program.py]
              # Handed over with every request. ${NAME} is an environment variable, and kept secret.
              settings: {greeting: hello}

        prices:
          services:
            registry: {look_up: 0.25}

        """

    private static let pythonText = #"""
        """A processor for Assay: requests come in on stdin, one JSON line each; lines with the same id go out on stdout."""

        import json
        import sys


        def say(request, **keys):
            print(json.dumps({"id": request["id"], **keys}), flush=True)


        def ask(request, ref, **keys):
            """Asks the engine, and returns what it decides."""
            say(request, ref=ref, **keys)
            return json.loads(sys.stdin.readline())


        def look_up(request, name):
            """A paid call: made and paid once for each name, also when the run is resumed."""
            decision = ask(request, "1", call={"service": "registry", "operation": "look_up", "key": name})
            if decision["decision"] == "hit":
                return decision["value"]
            if decision["decision"] == "refused":
                raise RuntimeError("the look-up was refused: " + decision["reason"])
            # Here a web service would be called, with decision["idempotency_key"] as its Idempotency-Key.
            value = {"name": name.title(), "letters": len(name)}
            say(request, ref="1", settle={"value": value})
            return value


        def work(request):
            """The work on one input; replace it with your own."""
            greeting = request["context"]["settings"]["greeting"]
            person = look_up(request, request["data"]["name"])
            return {"text": f"{greeting}, {person['name']}", "letters": person["letters"]}


        for line in sys.stdin:
            request = json.loads(line)
            try:
                say(request, output=work(request))
            except Exception as error:
                say(request, error={"message": str(error), "exception": type(error).__name__})

        """#

    private static let documentsText = """
        {"input_id": "first", "data": {"name": "ada lovelace"}}
        {"input_id": "second", "data": {"name": "grace hopper"}}
        {"input_id": "third", "data": {"name": "ada lovelace"}}

        """
}
