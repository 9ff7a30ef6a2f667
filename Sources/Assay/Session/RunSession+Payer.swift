extension RunSession: Payer {
    /// The paid calls of the run, or of its batch or node.
    var paidCalls: PaidCalls {
        PaidCalls(
            ledger: ledger, breakers: breakers,
            terms: SpendingTerms(
                budgets: options.budgets, breakers: options.breakers, services: options.services,
                billing: options.billing, doubtPolicy: options.doubtPolicy, strictCosts: options.strictCosts,
                caching: options.caching, looksUp: options.looksUp, refreshedSince: options.refreshedSince,
                setAt: options.setAt),
            payer: self)
    }

    /// Returns the work in `context`, which pays for what it asks for.
    func payingWork(in context: Context) -> PayingWork {
        PayingWork(
            inputID: context.inputID, scope: context.scope,
            attempt: AttemptID(of: run, place: context.itemIndex, number: context.attempt)
        ) { wait, body in try await context.desk.waiting(for: wait, in: context, body) }
    }

    func nextCostID() -> String { tally.nextCostID() }

    func noteLookup(hit avoided: Money?) { tally.noteLookup(hit: avoided) }

    func noteRepeat(of service: String) { tally.noteRepeat(of: service) }

    func noteDoubt() { withBatch { $0.hasDoubts = true } }

    func noteMeeting(with callID: String) { if isBatch { withBatch { _ = $0.metDoubts.insert(callID) } } }

    func noteIncomplete(_ reason: String) { tally.noteIncomplete(reason) }

    func hasHinted(_ kind: String, about subject: String) -> Bool { tally.hasHinted(kind, about: subject) }

    /// Hints once that a processor costs nothing because it has no price.
    func hintAtPrice(of processor: Identifier) {
        hint("no_price", about: processor.text, "'\(processor)' has no price; 0.00 is charged")
    }
}
