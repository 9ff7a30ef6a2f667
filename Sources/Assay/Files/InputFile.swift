/// A file that an item stands for, known by its content: path, size and times never stand for it.
public struct InputFile: Hashable, Sendable {
    /// What is known of the content.
    enum Content: Hashable, Sendable {
        /// Nothing; the file is read when the item is taken in.
        case unread
        /// The digest of its bytes, and the stamp it had, if that can be trusted.
        case known(Digest, size: Int, FileStamp?)
        /// It could not be read when that was tried.
        case refused(ProcessingError.Code, String)
        /// No input can have its name.
        case misnamed(String)
    }

    /// Where the file lies, from the root on; it can be opened from any working folder.
    public let path: String
    /// What kind of contents its name promises.
    public let mediaType: String
    var content: Content

    /// The file at `path`, which is read when an item with it is taken in.
    ///
    /// - Parameter path: from the root on, or from this program's working folder.
    public init(path: String) { self.init(path: FilePath.absolute(path), .unread) }

    init(path: String, _ content: Content) {
        self.path = path
        mediaType = MediaType.named(by: path)
        // The system would read such a path only as far as that character.
        self.content = path.utf8.contains(0) ? .misnamed("a path cannot hold a NUL character; correct it") : content
    }

    /// A file whose name no input can have: the item with it fails with `message`, and others go on.
    package init(path: String, misnamed message: String) { self.init(path: path, .misnamed(message)) }

    /// The last part of its path.
    public var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// The digest of its bytes; `nil` while nobody has read it, and when it cannot be read.
    public var digest: Digest? { if case .known(let digest, _, _) = content { digest } else { nil } }

    /// How many bytes it has, as far as that is known.
    public var size: Int? { if case .known(_, let size, _) = content { size } else { nil } }

    /// Why it cannot be read.
    var refusal: ProcessingError? {
        switch content {
        case .unread, .known: nil
        case .refused(let code, let message): ProcessingError(code, message, retryable: false)
        case .misnamed(let message): ProcessingError(.configuration, message, retryable: false)
        }
    }

    /// Whether its content is to be found out: nobody has tried, or it could not be read then.
    var needsReading: Bool {
        switch content {
        case .unread, .refused: true
        case .known, .misnamed: false
        }
    }

    /// The file as a processor is given it: `{path, name, media_type, size, sha256}`.
    public var jsonValue: JSONValue {
        var object: JSONObject = ["path": .string(path), "name": .string(name), "media_type": .string(mediaType)]
        if case .known(let digest, let size, _) = content {
            object["size"] = JSONValue(size)
            object["sha256"] = .string(digest.hexDigits)
        }
        return .object(object)
    }

    /// The file that ``jsonValue`` wrote, or that its path alone names; `nil` for anything else.
    package init?(json: JSONValue) {
        if let path = json.string {
            guard !path.isEmpty else { return nil }
            self.init(path: path)
            return
        }
        guard let path = json["path"]?.string, !path.isEmpty else { return nil }
        guard let digits = json["sha256"] else {
            self.init(path: path)
            return
        }
        guard let digest = digits.string.flatMap({ Digest("sha256:" + $0) }),
            let size = json["size"]?.number?.integer, size >= 0
        else { return nil }
        self.init(path: FilePath.absolute(path), .known(digest, size: size, nil))
    }
}

extension InputFile {
    /// The file with what only a store keeps of it.
    package var stored: JSONValue {
        guard case .object(var object) = jsonValue else { return .null }
        switch content {
        case .unread, .known(_, _, nil): break
        case .known(_, _, let stamp?):
            object["stamp"] = .array(
                [
                    Int64(bitPattern: stamp.device), Int64(bitPattern: stamp.inode), stamp.modified, stamp.changed,
                ].map { .number(Number($0)) })
        case .refused(let code, let message): object["refused"] = [.string(code.rawValue), .string(message)]
        case .misnamed(let message): object["misnamed"] = .string(message)
        }
        return .object(object)
    }

    /// The file that ``stored`` wrote; `nil` for anything else.
    package init?(stored json: JSONValue) {
        guard let file = InputFile(json: json) else { return nil }
        self = file
        if let refused = json["refused"]?.array {
            guard refused.count == 2, let code = refused[0].string.flatMap(ProcessingError.Code.init(rawValue:)),
                let message = refused[1].string
            else { return nil }
            content = .refused(code, message)
        }
        if let message = json["misnamed"]?.string { content = .misnamed(message) }
        guard let parts = json["stamp"]?.array else { return }
        let numbers = parts.compactMap { $0.number?.integer }
        guard numbers.count == 4, case .known(let digest, let size, _) = content else { return nil }
        let stamp = FileStamp(
            device: UInt64(bitPattern: Int64(numbers[0])), inode: UInt64(bitPattern: Int64(numbers[1])),
            size: Int64(size), modified: Int64(numbers[2]), changed: Int64(numbers[3]))
        content = .known(digest, size: size, stamp)
    }
}
