import CYaml

/// A YAML reader on a stream of events, so that nothing is ever expanded. It refuses aliases, tags and merge keys as
/// they occur, and applies the limits before it keeps a value.
struct YAMLReader: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private var builder: TreeBuilder
    private var documents = 0

    /// Reads all of `bytes`, which are valid UTF-8, into a copy of `builder`.
    ///
    /// - Throws: ``Finding`` where the text cannot be read any further.
    static func read(_ bytes: [UInt8], into builder: TreeBuilder) throws(Finding) -> TreeBuilder {
        guard !bytes.isEmpty else { return builder }
        return try bytes.withUnsafeBufferPointer { buffer throws(Finding) in
            var reader = YAMLReader(buffer, builder: builder)
            try reader.refuseDirectives(in: bytes)
            try reader.readAll(bytes)
            return reader.builder
        }
    }

    private init(_ bytes: UnsafeBufferPointer<UInt8>, builder: TreeBuilder) {
        self.builder = builder
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        yaml_parser_initialize(parser)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    /// Refuses lines that begin with `%`.
    ///
    /// libyaml compares each tag directive with all earlier ones and emits no event until it has read the last one, so
    /// a file of directives must be refused before it is parsed.
    private func refuseDirectives(in bytes: [UInt8]) throws(Finding) {
        for offset in bytes.indices where bytes[offset] == UInt8(ascii: "%") && Self.beginsLine(offset, in: bytes) {
            var cursor = SourceCursor(bytes)
            throw builder.failure("directives are not allowed", at: cursor.position(of: offset))
        }
    }

    /// Returns whether `offset` follows one of YAML's line breaks: line feed, carriage return, U+0085, U+2028, U+2029.
    private static func beginsLine(_ offset: Int, in bytes: [UInt8]) -> Bool {
        guard offset > 0 else { return true }
        switch bytes[offset - 1] {
        case 0x0A, 0x0D: return true
        case 0x85: return bytes[..<offset].suffix(2) == [0xC2, 0x85]
        case 0xA8, 0xA9: return bytes[..<(offset - 1)].suffix(2) == [0xE2, 0x80]
        default: return false
        }
    }

    private mutating func readAll(_ bytes: [UInt8]) throws(Finding) {
        var event = yaml_event_t()
        while true {
            guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError(in: bytes) }
            defer { yaml_event_delete(&event) }
            guard event.type != YAML_STREAM_END_EVENT else { return }
            try take(event)
        }
    }

    private mutating func take(_ event: yaml_event_t) throws(Finding) {
        let position = SourcePosition(event.start_mark)
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            documents += 1
            guard documents == 1 else { throw builder.failure("second documents are not allowed", at: position) }
        case YAML_ALIAS_EVENT:
            builder.report("aliases", at: position)
            try builder.add(.refused, at: position)
        case YAML_SCALAR_EVENT:
            refuse(anchor: event.data.scalar.anchor, tag: event.data.scalar.tag, at: position)
            try takeScalar(event, at: position)
        case YAML_SEQUENCE_START_EVENT:
            refuse(anchor: event.data.sequence_start.anchor, tag: event.data.sequence_start.tag, at: position)
            try builder.begin(map: false, at: position)
        case YAML_MAPPING_START_EVENT:
            refuse(anchor: event.data.mapping_start.anchor, tag: event.data.mapping_start.tag, at: position)
            try builder.begin(map: true, at: position)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: builder.end()
        default: break
        }
    }

    private func refuse(
        anchor: UnsafeMutablePointer<UInt8>?, tag: UnsafeMutablePointer<UInt8>?, at position: SourcePosition
    ) {
        if anchor != nil { builder.report("anchors", at: position) }
        if tag != nil { builder.report("tags", at: position) }
    }

    private mutating func takeScalar(_ event: yaml_event_t, at position: SourcePosition) throws(Finding) {
        let scalar = event.data.scalar
        let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
        guard scalar.style == YAML_PLAIN_SCALAR_STYLE else { return try builder.add(.text(text), at: position) }
        if text.isEmpty {
            try builder.addNothing(at: position)
        } else if text == "<<", builder.expectsKey {
            builder.refuseKey("merge keys", at: position)
        } else if let value = PlainScalar.value(of: text) {
            try builder.add(value, at: position)
        } else {
            builder.findings.report(DecimalText.tooLong, at: position)
            try builder.add(.refused, at: position)
        }
    }

    /// Returns a finding about libyaml's error.
    private func syntaxError(in bytes: [UInt8]) -> Finding {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "out of memory"
        if problem.hasPrefix("Maximum nesting level") {
            // libyaml reads ahead on a line and reaches its own limit before the builder sees the 65th level.
            return builder.failure("nested more than 64 deep", at: SourcePosition(parser.pointee.problem_mark))
        }
        let context = parser.pointee.context.map { " " + String(cString: $0) } ?? ""
        let position: SourcePosition
        if parser.pointee.error == YAML_READER_ERROR {
            // The error was found while filling the buffer, ahead of every mark.
            var cursor = SourceCursor(bytes)
            position = cursor.position(of: min(parser.pointee.problem_offset, bytes.count))
        } else {
            position = SourcePosition(parser.pointee.problem_mark)
        }
        return builder.failure("not valid YAML: \(problem)\(context)", at: position)
    }
}

extension SourcePosition {
    fileprivate init(_ mark: yaml_mark_t) { self.init(line: mark.line + 1, column: mark.column + 1) }
}
