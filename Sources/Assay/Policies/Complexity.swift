/// How much work an item is, in one word, from which the size of batches follows.
public enum Complexity: String, Codable, Sendable, CaseIterable {
    case simple, moderate, complex
    case veryComplex = "very_complex"

    /// How many items a batch has unless a policy says otherwise.
    public var standardSize: Int {
        switch self {
        case .simple: 50
        case .moderate: 20
        case .complex: 10
        case .veryComplex: 5
        }
    }
}
