/// The amount of work in an item, as one word that determines the size of batches.
public enum Complexity: String, Codable, Sendable, CaseIterable {
    case simple, moderate, complex
    case veryComplex = "very_complex"

    /// The number of items in a batch unless a policy says otherwise.
    public var standardSize: Int {
        switch self {
        case .simple: 50
        case .moderate: 20
        case .complex: 10
        case .veryComplex: 5
        }
    }
}
