import ArgumentParser

/// The choice of when to use colors.
package enum ColorChoice: String, CaseIterable, ExpressibleByArgument, Sendable {
    case auto, always, never
}

/// A painter that adds colors to texts, or leaves them plain.
package struct Paint: Sendable {
    /// Whether it adds colors.
    package let isOn: Bool

    /// Creates a painter from the user's choice, `NO_COLOR`, and whether there is a terminal.
    package init(_ choice: ColorChoice, environment: [String: String], isTerminal: Bool) {
        switch choice {
        case .always: isOn = true
        case .never: isOn = false
        case .auto: isOn = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        }
    }

    /// A color or weight.
    package enum Color: Int, Sendable {
        case bold = 1
        case dim = 2
        case red = 31
        case green = 32
        case yellow = 33
    }

    /// Returns `text` in `color`.
    package func callAsFunction(_ text: String, _ color: Color) -> String {
        isOn && !text.isEmpty ? "\u{1B}[\(color.rawValue)m\(text)\u{1B}[0m" : text
    }
}
