/// Lets items pass without the node's output, up to a number of them in a run; then halts.
public struct SkipStrategy: ErrorStrategy, Hashable {
    /// How many items of a run may be skipped; `nil`: any number.
    public let maxSkips: Int?

    /// A strategy that skips up to `maxSkips` items of a run.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for a negative number.
    public init(maxSkips: Int? = nil) throws(ProcessingError) {
        if let maxSkips, maxSkips < 0 {
            throw ProcessingError(.configuration, "max_skips must be at least 0, found \(maxSkips)")
        }
        self.maxSkips = maxSkips
    }

    init(unchecked maxSkips: Int?) { self.maxSkips = maxSkips }

    public func answer(to failure: NodeFailure) -> ErrorAnswer {
        guard let maxSkips else { return .skip }
        return failure.skips < maxSkips ? .skip : .halt
    }
}

extension ErrorStrategy where Self == SkipStrategy {
    /// Lets any number of items pass.
    public static var skip: SkipStrategy { SkipStrategy(unchecked: nil) }
}
