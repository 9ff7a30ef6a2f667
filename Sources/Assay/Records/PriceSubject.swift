/// What a price is for.
public enum PriceSubject: Hashable, Sendable {
    /// The base cost of a processor's run.
    case processor(String)
    /// One unit of a service's operation.
    case service(String, operation: String)
}

extension PriceSubject {
    /// The subject as one text: `bank_statement`, `clear/business_search`.
    public var sortKey: String {
        switch self {
        case .processor(let name): name
        case .service(let service, let operation): "\(service)/\(operation)"
        }
    }
}

/// Where a price was found, as charges say it.
public enum PriceOrigin: String, Codable, Sendable, CaseIterable {
    /// In the pipeline file.
    case pipeline
    /// Among the prices of the store.
    case database
    /// In the price file.
    case file
    /// Nowhere: 0.00 is charged.
    case none
}
