import Assay
import Foundation

/// The built-in type `http`: one paid call of a web service per item.
struct HTTPProcessor: Processor {
    /// How an answer becomes an output.
    enum Response: String, CaseIterable {
        /// As its content type says.
        case auto
        case json
        case text
    }

    let name: String
    let transforms = false
    let plan: HTTPPlan
    let response: Response
    let service: String
    let operation: String
    let maximumCost: Money?
    let cache: CachePolicy
    /// The header in which the service wants the key of a call.
    let keyHeader: String

    func expectedCosts(of input: JSONValue, in context: Context) -> [ExpectedCost]? {
        [
            .call(
                service, operation, maximumCost: maximumCost, key: plan.key(for: input),
                options: CallOptions(cache: cache))
        ]
    }

    var costsOfAnyInput: [ExpectedCost]? {
        [.call(service, operation, maximumCost: maximumCost, options: CallOptions(cache: cache), isCertain: false)]
    }

    func extract(_ input: JSONValue, in context: Context) async throws -> JSONValue {
        let request = CallRequest(
            service: service, operation: operation, maximumCost: maximumCost, key: plan.key(for: input),
            options: CallOptions(cache: cache), step: Context.enclosingStep)
        switch try await context.desk.openCall(request, in: context) {
        case .hit(let value): return value
        case .proceed(let call):
            let answer: HTTPAnswer
            do {
                answer = try await send(input, idempotencyKey: call.idempotencyKey)
            } catch {
                try await context.desk.closeCall(call.id, call.settlement, .threw(error), in: context)
                throw error
            }
            let output: JSONValue
            do { output = try value(of: answer) } catch {
                // The service did its work; what it answered is of no use to anybody.
                try await context.desk.closeCall(call.id, call.settlement, .made, in: context)
                throw error
            }
            try await context.desk.closeCall(call.id, call.settlement, .returned(Payload(json: output)), in: context)
            return output
        }
    }

    /// The answer of a call that succeeded.
    private func send(_ input: JSONValue, idempotencyKey: String) async throws -> HTTPAnswer {
        let answer: HTTPAnswer
        do {
            answer = try await HTTPClient.shared.send(
                plan.request(for: input, idempotencyKey: idempotencyKey, in: keyHeader), private: plan.headerNames)
        } catch let failure as HTTPFailure {
            var error = ProcessingError(
                .api, plan.filter.hiding("\(plan.title): \(failure.message)"), outcomeUnknown: !failure.isCertain)
            error.wasNotTaken = failure.isCertain
            throw error
        }
        guard !(200..<300).contains(answer.status) else { return answer }
        throw refusal(answer)
    }

    /// What an answer other than success means.
    private func refusal(_ answer: HTTPAnswer) -> ProcessingError {
        let isRetryable = answer.isRefusedForNow || answer.leavesDoubt
        var message = "\(plan.title) answered \(answer.status)"
        if (300..<400).contains(answer.status) {
            message += ", a redirect that is not followed: only those within the same host are"
        } else if let text = answer.excerpt(plan.filter) {
            message += ": \(text)"
        }
        let wait = isRetryable ? answer.headers["retry-after"].flatMap { RetryAfter.wait($0, since: .now()) } : nil
        var error = ProcessingError(
            .api, plan.filter.hiding(message), retryable: isRetryable, retryAfter: wait,
            outcomeUnknown: answer.leavesDoubt)
        error.wasNotTaken = answer.isRefusedForNow
        return error
    }

    /// The output that an answer brings.
    private func value(of answer: HTTPAnswer) throws(ProcessingError) -> JSONValue {
        func useless(_ reason: String) -> ProcessingError {
            let message = plan.filter.hiding("\(plan.title) answered \(answer.status), but \(reason)")
            return ProcessingError(.api, message, retryable: false)
        }
        guard let body = answer.body else { throw useless("with more than \(HTTPClient.maximumBytes >> 20) MiB") }
        let isJSON = response == .json || (response == .auto && answer.isJSON)
        if isJSON {
            if body.isEmpty { return .null }
            do { return try JSONValue(json: body) } catch { throw useless("its body is not valid JSON: \(error)") }
        }
        if body.isEmpty, response == .auto { return .null }
        guard let text = String(validating: body, as: UTF8.self) else { throw useless("its body is not UTF-8 text") }
        return .string(text)
    }
}

extension HTTPProcessor {
    /// Reads the parameters.
    static func read(_ name: String, _ parameters: MapReader, _ surroundings: Surroundings) -> RegisteredProcessor? {
        let plan = HTTPPlan(parameters, surroundings)
        let response = parameters["response"].map { $0.word("response", as: Response.self) } ?? .auto
        let service = parameters["service"].map { $0.text() } ?? plan?.host
        let operation = parameters["operation"].map { $0.text() } ?? plan?.operation
        let maximumCost = parameters["maximum_cost"]?.amount()
        let ttl = parameters["cache_ttl"]?.duration()
        guard let plan, let response else { return nil }
        guard let service, let operation else {
            // A finding about either has been made, or the address is an environment variable's as a whole.
            if parameters["service"] == nil || parameters["operation"] == nil {
                parameters.value.report(
                    "a url that begins with an environment variable needs parameters 'service' and 'operation'")
            }
            return nil
        }
        let processor = HTTPProcessor(
            name: name, plan: plan, response: response, service: service, operation: operation,
            maximumCost: maximumCost, cache: CachePolicy(ttl: ttl),
            keyHeader: surroundings.services[service]?.keyHeader ?? "Idempotency-Key")
        var registered = try? RegisteredProcessor(processor, workload: .io)
        registered?.mayOpenFiles = true
        return registered
    }
}
