package import Assay
import AssayPipelines
import Foundation

/// The inputs of a command line as a list of items that is read while it is used.
///
/// A file is named by its path from the root of the workspace, however it is written, and occurs once.
package struct InputList: Sendable {
    /// A source of inputs that the user named.
    fileprivate enum Source: Sendable {
        case file(String)
        case folder(String)
        case lines(path: String)
        case standardInput
        case items([Item])
    }

    fileprivate let sources: [Source]
    /// The names that the user gave, for the message about an empty list.
    private let named: [String]
    private let shell: Shell
    private let root: String
    private let scope: Scope
    private let excluded: [String]
    private let stop: StopFlag
    private let tell: @Sendable (String) -> Void

    /// Creates the list of the inputs that `arguments` and files of JSON lines name.
    ///
    /// - Parameters:
    ///   - arguments: files, folders, patterns, and `-` for JSON lines.
    ///   - lists: files of JSON lines.
    ///   - otherwise: the items when nothing is named.
    ///   - root: the folder from which files are named; `nil`: the working folder.
    ///   - excluded: patterns of files to leave out.
    ///   - scope: the scope of items without their own account, underwriting or execution.
    ///   - tell: receives hints for the user about the list.
    /// - Throws: ``CommandFailure`` if none of the named inputs exist, before anything has begun.
    package init(
        _ arguments: [String], lists: [String] = [], otherwise: [Item] = [], root: String? = nil,
        excluded: [String] = [], scope: Scope = Scope(), stop: StopFlag = StopFlag(),
        tell: @escaping @Sendable (String) -> Void = { _ in }, in shell: Shell
    ) throws {
        self.shell = shell
        self.root = root ?? shell.folder
        self.excluded = excluded
        self.scope = scope
        self.stop = stop
        self.tell = tell
        named = arguments + lists
        var sources: [Source] = []
        var missing: [CommandFailure] = []
        for argument in arguments {
            if argument == "-" {
                sources.append(.standardInput)
                continue
            }
            for path in Self.paths(argument, in: shell) {
                do { sources.append(try Self.source(path, in: shell)) } catch let failure as CommandFailure {
                    missing.append(failure)
                    // It fails as an input, and the other inputs are still processed.
                    sources.append(.file(path))
                }
            }
        }
        if !missing.isEmpty, missing.count == sources.count, lists.isEmpty {
            throw CommandFailure(missing[0].status, missing.map(\.message).joined(separator: "\n"))
        }
        for list in lists {
            guard case .file = try Self.source(list, in: shell) else {
                throw CommandFailure.usage("--inputs takes a file of JSON lines; '\(list)' is a folder")
            }
            sources.append(.lines(path: list))
        }
        if sources.isEmpty {
            guard !otherwise.isEmpty else {
                throw CommandFailure.usage(
                    "no inputs; name files, folders, '-' for JSON lines, or --inputs FILE.jsonl")
            }
            sources = [.items(otherwise)]
        }
        self.sources = sources
    }

    /// Returns the files that a pattern matches, by the bytes of their paths; anything else names itself.
    private static func paths(_ argument: String, in shell: Shell) -> [String] {
        let place = shell.place(of: argument)
        var found = stat()
        guard argument.contains(where: { "*?[".contains($0) }), lstat(place, &found) != 0 else { return [argument] }
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(place, GLOB_NOSORT, nil, &result) == 0 else { return [argument] }
        let added = place.count - argument.count
        let paths = (0..<Int(result.gl_pathc)).compactMap { index in
            result.gl_pathv[index].flatMap { String(validatingCString: $0) }.map { String($0.dropFirst(added)) }
        }
        return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func source(_ path: String, in shell: Shell) throws -> Source {
        var found = stat()
        guard stat(shell.place(of: path), &found) == 0 else {
            let isPattern = path.contains { "*?[".contains($0) }
            throw isPattern
                ? CommandFailure(.notFound, "\(path): no file has such a name") : CommandFailure.unreadable(path, errno)
        }
        return found.st_mode & S_IFMT == S_IFDIR ? .folder(path) : .file(path)
    }

    /// Returns the list with its first item read, so that nothing begins for an empty list.
    ///
    /// - Parameter allowsEmpty: whether a list without items is allowed.
    /// - Throws: ``CommandFailure`` with status `notFound` if there is nothing to do.
    package func begun(allowsEmpty: Bool = false) throws -> Begun {
        var iterator = makeAsyncIterator()
        guard try iterator.readAhead() || allowsEmpty else {
            let names = named.map { "'\($0)'" }.joined(separator: ", ")
            let lacks = sources.contains { if case .folder = $0 { true } else { false } } ? "files" : "inputs"
            throw CommandFailure(
                .notFound,
                "nothing to do: \(names) \(named.count == 1 ? "has" : "have") no \(lacks); "
                    + "--allow-empty runs it all the same")
        }
        return Begun(iterator: iterator)
    }
}

extension InputList: AsyncSequence {
    /// A list whose first item has been read. It can be iterated only once.
    package struct Begun: AsyncSequence, Sendable {
        package typealias Element = Item
        fileprivate let iterator: InputList.AsyncIterator

        package func makeAsyncIterator() -> InputList.AsyncIterator { iterator }
    }

    /// An iterator that continues where the last item ended.
    package struct AsyncIterator: AsyncIteratorProtocol, Sendable {
        fileprivate enum Reading: Sendable {
            case nothing
            case walk(FolderWalk)
            case lines(JSONLines)
            case items(ArraySlice<Item>)
        }

        fileprivate let list: InputList
        fileprivate var rest: ArraySlice<Source>
        fileprivate var reading = Reading.nothing
        fileprivate var position = 0
        /// The item that was read and not returned yet.
        fileprivate var ahead: Item?
        /// The spellings of returned files, kept only where a file could occur again.
        fileprivate var spellings: [String: String] = [:]

        /// Returns the next item.
        ///
        /// - Throws: ``CommandFailure`` for unreadable input, or if the program must end before the list does.
        package mutating func next() async throws -> Item? { try nextItem() }

        /// Returns the next items, at most `limit`; none at the end.
        ///
        /// - Throws: as ``next()``.
        mutating func page(_ limit: Int) throws -> [Item] {
            var page: [Item] = []
            while page.count < limit, let item = try nextItem() { page.append(item) }
            return page
        }

        /// Reads the next item, to be returned next; returns `false` at the end.
        fileprivate mutating func readAhead() throws -> Bool {
            ahead = try nextItem()
            return ahead != nil
        }

        private mutating func nextItem() throws -> Item? {
            if let item = ahead {
                ahead = nil
                return item
            }
            do {
                let item = try read()
                guard let signal = list.stop.signal else { return item }
                throw CommandFailure.stopped(signal)
            } catch {
                // A reader stopped in the middle of a line reports the line as invalid.
                throw list.stop.signal.map { CommandFailure.stopped($0) } ?? error
            }
        }

        private mutating func read() throws -> Item? {
            position += 1
            while true {
                if let item = try nextOfCurrent() { return item.filled(by: list.scope) }
                guard let source = rest.popFirst() else { return nil }
                switch source {
                case .file(let path):
                    if let item = take(.file(path)) { return item.filled(by: list.scope) }
                case .folder(let path):
                    reading = .walk(FolderWalk(path) { [shell = list.shell] in shell.place(of: $0) })
                case .lines(let path):
                    let file = try DescriptorSource(path: list.shell.place(of: path), name: path)
                    reading = .lines(JSONLines(file, name: path))
                case .standardInput: reading = .lines(JSONLines(list.shell.input, name: "-"))
                case .items(let items): reading = .items(items[...])
                }
            }
        }

        private mutating func nextOfCurrent() throws -> Item? {
            switch reading {
            case .nothing: return nil
            case .walk(var walk):
                while let found = walk.next() {
                    guard let item = take(found) else { continue }
                    reading = .walk(walk)
                    return item
                }
                reading = .nothing
                return nil
            case .lines(var lines):
                // Only one copy may exist while the buffer grows.
                reading = .nothing
                defer { reading = .lines(lines) }
                while let json = try lines.nextValue() {
                    let item = try lines.item(
                        json, position: position, file: { list.file(json: $0) }, name: { list.name($0) })
                    let isNamed = json["input_id"]?.string != nil
                    guard let written = json["file"]?.string, !item.hasOwnData, !isNamed else { return item }
                    if isNew(item.id, written) { return item }
                }
                return nil
            case .items(var items):
                defer { reading = .items(items) }
                return items.popFirst()
            }
        }

        /// Returns the item for a found entry; `nil` if it is excluded or occurred before.
        private mutating func take(_ found: FolderWalk.Found) -> Item? {
            let (path, file): (String, InputFile)
            switch found {
            case .file(let written): (path, file) = (written, list.file(written))
            case .refused(let written, let reason):
                (path, file) = (written, InputFile(path: list.place(of: written), misnamed: reason))
            }
            let id = list.name(file)
            guard !list.excludes(id), isNew(id, path) else { return nil }
            return Item(id, file: file)
        }

        /// Returns whether a file occurs for the first time. Only needed when several things were named.
        private mutating func isNew(_ id: String, _ written: String) -> Bool {
            guard list.mayRepeat else { return true }
            if let other = spellings[id] {
                list.tell(
                    written == other
                        ? "'\(other)' is named twice; it is one input"
                        : "'\(written)' and '\(other)' are the same file; it is one input")
                return false
            }
            spellings[id] = written
            return true
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(list: self, rest: sources[...]) }

    /// Whether a file may occur twice. Files of one folder may not.
    fileprivate var mayRepeat: Bool {
        guard sources.count == 1 else { return true }
        return switch sources[0] {
        case .lines, .standardInput: true
        case .file, .folder, .items: false
        }
    }

    /// Returns the absolute path of a file that the user calls `path`.
    fileprivate func place(of path: String) -> String { FilePath.absolute(path, from: shell.folder) }

    fileprivate func file(_ path: String) -> InputFile { InputFile(path: place(of: path)) }

    /// Returns the file under `file` of a JSON line.
    fileprivate func file(json: JSONValue) -> InputFile? {
        guard let path = json.string else { return InputFile(json: json) }
        return path.isEmpty ? nil : file(path)
    }

    /// Returns the name of an item that is a file.
    fileprivate func name(_ file: InputFile) -> String { FilePath.relative(file.path, to: root) }

    /// Returns whether a pattern excludes the file named `id`. A pattern with a slash matches the whole name, any other
    /// one of its parts.
    fileprivate func excludes(_ id: String) -> Bool {
        excluded.contains { pattern in
            if pattern.contains("/") { return fnmatch(pattern, id, 0) == 0 }
            return id.split(separator: "/").contains { fnmatch(pattern, String($0), 0) == 0 }
        }
    }
}

extension CommandFailure {
    fileprivate static func stopped(_ signal: StopSignal) -> CommandFailure {
        CommandFailure(
            signal.status, "stopped while the inputs were read; nothing was worked on, so run the command again")
    }
}
