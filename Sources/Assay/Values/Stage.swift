import Logging
import Synchronization

/// A part of a run, as failure records name it when no step was running.
enum Stage: String, CaseIterable {
    case prevalidation, transformation, validation, extraction, aggregation, cost

    static let names = Set(allCases.map(\.rawValue))

    /// The code of an error that does not state its own.
    var code: ProcessingError.Code {
        switch self {
        case .prevalidation: .prevalidation
        case .transformation: .transformation
        case .validation: .validation
        case .extraction: .extraction
        case .aggregation: .aggregation
        case .cost: .cost
        }
    }

    /// The phase that the stage belongs to.
    var phase: Phase {
        switch self {
        case .prevalidation, .transformation, .validation: .preprocessing
        case .extraction: .extraction
        case .aggregation, .cost: .postprocessing
        }
    }
}
