package import Logging

/// What all orders of a run have in common.
package struct OrderTerms: Sendable {
    package let runID: Run.ID
    package let executionID: Execution.ID
    package let processorID: Identifier
    package let scope: Scope
    package let lineage: Lineage
    package let logLevel: Logger.Level
    /// The limits of the work.
    package let limits: WorkTerms

    package init(
        runID: Run.ID, executionID: Execution.ID, processorID: Identifier, scope: Scope, lineage: Lineage,
        logLevel: Logger.Level, limits: WorkTerms
    ) {
        (self.runID, self.executionID, self.processorID) = (runID, executionID, processorID)
        (self.scope, self.lineage, self.logLevel, self.limits) = (scope, lineage, logLevel, limits)
    }

    /// Creates the terms of work for which an engine has made `context`.
    package init(_ context: Context) {
        self.init(
            runID: context.runID, executionID: context.executionID, processorID: context.processorID,
            scope: context.scope, lineage: context.lineage, logLevel: context.logger.logLevel,
            limits: context.desk.terms)
    }
}

/// Everything that a place needs to work on one item, and nothing that lives in another program.
package struct WorkOrder: Sendable {
    package let terms: OrderTerms
    package let inputID: String?
    package let itemIndex: Int
    package let file: InputFile?
    /// The number of the attempt, from 1.
    package let attempt: Int
    /// The input of `extract`.
    package let input: Payload

    package init(
        _ terms: OrderTerms, inputID: String?, itemIndex: Int, file: InputFile?, attempt: Int, input: Payload
    ) {
        (self.terms, self.inputID, self.itemIndex) = (terms, inputID, itemIndex)
        (self.file, self.attempt, self.input) = (file, attempt, input)
    }

    /// Creates the order for the attempt of `context`.
    package init(_ input: Payload, in context: Context) {
        self.init(
            OrderTerms(context), inputID: context.inputID, itemIndex: context.itemIndex ?? 0, file: context.file,
            attempt: context.attempt, input: input)
    }

    /// Returns the context in which a processor works on it, with `desk` for its requests.
    package func context(_ desk: any Desk) -> Context {
        Context(
            runID: terms.runID, executionID: terms.executionID, processorID: terms.processorID, scope: terms.scope,
            lineage: terms.lineage, inputID: inputID, attempt: attempt, phase: .extraction, itemIndex: itemIndex,
            file: file, desk: desk)
    }
}
