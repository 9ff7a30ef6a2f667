/// Text of a page; whatever came from a file is escaped.
enum HTML {
    /// Returns `text` escaped for use between tags or in an attribute.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            // Control characters, and what turns the direction of writing, have no place on a page.
            case _ where scalar.properties.generalCategory == .control && scalar != "\n": result += "\u{FFFD}"
            case "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A cell of a table.
    struct Cell {
        var html: String
        var isNumber = false
        var isHead = false
        var isStrong = false
        /// Whether it is on one line.
        var isWhole = false

        /// Returns a text, escaped.
        static func text(_ text: String) -> Cell { Cell(html: escaped(text)) }
        /// Returns a day, which is not broken.
        static func day(_ day: Day) -> Cell { Cell(html: "\(day)", isWhole: true) }
        /// Returns a figure, escaped.
        static func number(_ text: String) -> Cell { Cell(html: escaped(text), isNumber: true) }
        /// Returns a cell whose content is already HTML.
        static func html(_ html: String, isNumber: Bool = false) -> Cell { Cell(html: html, isNumber: isNumber) }
        /// Returns the head of a row.
        static func head(_ text: String) -> Cell { Cell(html: escaped(text), isHead: true) }

        fileprivate var text: String {
            let tag = isHead ? "th scope=\"row\"" : "td"
            let end = isHead ? "th" : "td"
            let classes = (isNumber ? ["num"] : []) + (isStrong ? ["strong"] : []) + (isWhole ? ["whole"] : [])
            let attribute = classes.isEmpty ? "" : " class=\"\(classes.joined(separator: " "))\""
            return "<\(tag)\(attribute)>\(html)</\(end)>"
        }
    }

    /// Returns a table under titles; those that begin with `#` are of figures.
    static func table(_ titles: [String], _ rows: [[Cell]], className: String = "") -> String {
        let head = titles.map { title in
            title.hasPrefix("#")
                ? "<th scope=\"col\" class=\"num\">\(escaped(String(title.dropFirst())))</th>"
                : "<th scope=\"col\">\(escaped(title))</th>"
        }.joined()
        let body = rows.map { "<tr>\($0.map(\.text).joined())</tr>" }.joined(separator: "\n")
        let attribute = className.isEmpty ? "" : " class=\"\(className)\""
        return
            "<div class=\"scroll\"><table\(attribute)><thead><tr>\(head)</tr></thead>\n<tbody>\(body)</tbody></table></div>\n"
    }

    /// Returns a list of what things are called and what they are.
    static func facts(_ facts: [(String, String)]) -> String {
        "<dl class=\"facts\">" + facts.map { "<div><dt>\(escaped($0.0))</dt><dd>\($0.1)</dd></div>" }.joined()
            + "</dl>\n"
    }

    /// Returns a section of a page.
    static func section(_ title: String, _ body: String, level: Int = 2) -> String {
        "<section><h\(level)>\(escaped(title))</h\(level)>\n\(body)</section>\n"
    }
}

extension Amount {
    /// The amount with thousands set apart: `-1,234.50`.
    var grouped: String {
        let text = magnitude.description
        let whole = text.prefix { $0 != "." }
        var result = ""
        for (index, digit) in whole.enumerated() {
            if index > 0, (whole.count - index) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return (self < .zero ? "\u{2212}" : "") + result + text.dropFirst(whole.count)
    }

    /// Returns the amount as a share of `whole`, such as `12.5 %`.
    func share(of whole: Amount) -> String? {
        guard let ratio = ratio(to: whole) else { return nil }
        return ratio.percent
    }

    /// A ratio as `12.5 %`.
    var percent: String {
        let tenths = Amount.halfEven(billionths, Amount.one / 1000)
        let (size, isNegative) = (tenths.magnitude, tenths < 0)
        return "\(isNegative ? "\u{2212}" : "")\(size / 10).\(size % 10) %"
    }
}
