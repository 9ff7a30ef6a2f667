import Assay

/// What a program is asked to do: one step of one item, or of the whole list.
struct ProgramRequest: Sendable {
    /// The step in which a program says what it expects to pay for.
    static let planStep = "plan"

    /// The step as the program hears it.
    let step: String
    /// The input of the step.
    let data: JSONValue
    /// What a failure of the program is when it does not say.
    let code: ProcessingError.Code
    /// Whether it only asks what the program expects to pay for.
    var isPlan = false

    /// The line that asks a worker, without its end.
    func line(id: String, settings: JSONValue, in context: Context) -> [UInt8] {
        let terms = context.desk.terms
        func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
        let facts: JSONValue = [
            "run_id": .string(context.runID.text), "execution_id": .string(context.executionID.text),
            "processor_id": .string(context.processorID.text),
            "account_id": text(context.scope.accountID?.text),
            "underwriting_id": text(context.scope.underwritingID?.text),
            "attempt": .number(Number(context.attempt)), "phase": .string(context.phase.rawValue),
            "recovery": .string(terms.recovery.rawValue),
            "timeout_ms": .number(Number(Int(terms.itemTimeout / .milliseconds(1)))),
            "settings": settings,
        ]
        var request: JSONObject = [
            "id": .string(id), "step": .string(step), "input_id": text(context.inputID), "data": data,
            "context": facts,
        ]
        request["file"] = context.file?.jsonValue
        return JSONValue.object(request).jsonBytes
    }
}
