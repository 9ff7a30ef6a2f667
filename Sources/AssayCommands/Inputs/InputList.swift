package import Assay
import AssayPipelines
import Foundation

/// The inputs of a command line as a list of items that is read while it is used.
package struct InputList: Sendable {
    /// One thing the user named.
    fileprivate enum Source: Sendable {
        case file(String)
        case folder(String)
        case lines(path: String)
        case standardInput
        case items([Item])
    }

    fileprivate let sources: [Source]
    private let shell: Shell
    private let scope: Scope
    private let stop: StopFlag

    /// The inputs that `arguments` and files of JSON lines name.
    ///
    /// - Parameters:
    ///   - arguments: files, folders, patterns, and `-` for JSON lines.
    ///   - lists: files of JSON lines.
    ///   - otherwise: the items when nothing is named.
    ///   - scope: what items get that name no account, underwriting or execution.
    /// - Throws: ``CommandFailure`` for what is not there, before anything has begun.
    package init(
        _ arguments: [String], lists: [String] = [], otherwise: [Item] = [], scope: Scope = Scope(),
        stop: StopFlag = StopFlag(), in shell: Shell
    ) throws {
        self.shell = shell
        self.scope = scope
        self.stop = stop
        var sources: [Source] = []
        for argument in arguments {
            if argument == "-" {
                sources.append(.standardInput)
            } else {
                sources += try Self.paths(argument, in: shell).map { try Self.source($0, in: shell) }
            }
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

    /// The files that a pattern names, by the bytes of their paths; anything else names itself.
    private static func paths(_ argument: String, in shell: Shell) throws -> [String] {
        let place = shell.place(of: argument)
        var found = stat()
        guard argument.contains(where: { "*?[".contains($0) }), lstat(place, &found) != 0 else { return [argument] }
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(place, GLOB_NOSORT, nil, &result) == 0 else {
            throw CommandFailure(.notFound, "\(argument): no file has such a name")
        }
        let added = place.count - argument.count
        let paths = (0..<Int(result.gl_pathc)).compactMap { index in
            result.gl_pathv[index].flatMap { String(validatingCString: $0) }.map { String($0.dropFirst(added)) }
        }
        return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func source(_ path: String, in shell: Shell) throws -> Source {
        var found = stat()
        guard stat(shell.place(of: path), &found) == 0 else { throw CommandFailure.unreadable(path, errno) }
        return found.st_mode & S_IFMT == S_IFDIR ? .folder(path) : .file(path)
    }
}

extension InputList: AsyncSequence {
    /// Reads on where the last item ended.
    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate enum Reading {
            case nothing
            case walk(FolderWalk)
            case lines(JSONLines)
            case items(ArraySlice<Item>)
        }

        fileprivate let list: InputList
        fileprivate var rest: ArraySlice<Source>
        fileprivate var reading = Reading.nothing
        fileprivate var position = 0

        /// The next item.
        ///
        /// - Throws: ``CommandFailure`` for what cannot be read, or when the program is to end before the list does.
        package mutating func next() async throws -> Item? { try nextItem() }

        /// The next items, at most `limit`; none at the end.
        ///
        /// - Throws: as ``next()``.
        mutating func page(_ limit: Int) throws -> [Item] {
            var page: [Item] = []
            while page.count < limit, let item = try nextItem() { page.append(item) }
            return page
        }

        private mutating func nextItem() throws -> Item? {
            do {
                let item = try read()
                guard let signal = list.stop.signal else { return item }
                throw CommandFailure.stopped(signal)
            } catch {
                // A reader that was stopped in the middle of a line finds the line wrong.
                throw list.stop.signal.map { CommandFailure.stopped($0) } ?? error
            }
        }

        private mutating func read() throws -> Item? {
            position += 1
            while true {
                if let item = try nextOfCurrent() { return list.scoped(item) }
                guard let source = rest.popFirst() else { return nil }
                switch source {
                case .file(let path): return list.scoped(try list.item(path))
                case .folder(let path): reading = .walk(FolderWalk(path, place: list.shell.place))
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
                defer { reading = .walk(walk) }
                return try walk.next().map { try list.item($0) }
            case .lines(var lines):
                // Only one copy may exist while it grows.
                reading = .nothing
                defer { reading = .lines(lines) }
                return try lines.next(position: position)
            case .items(var items):
                defer { reading = .items(items) }
                return items.popFirst()
            }
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(list: self, rest: sources[...]) }

    /// The item that stands for a file.
    fileprivate func item(_ path: String) throws -> Item {
        var found = stat()
        guard stat(shell.place(of: path), &found) == 0 else { throw CommandFailure.unreadable(path, errno) }
        let data: JSONValue = [
            "path": .string(path), "media_type": .string(MediaType.named(by: path)),
            "size": JSONValue(count: Int(found.st_size)),
        ]
        return Item(path, payload: Payload(json: data))
    }

    /// The item with what the command line and the pipeline say of its scope, where it is silent itself.
    fileprivate func scoped(_ item: Item) -> Item {
        guard scope != Scope() else { return item }
        return Item(
            item.id, payload: item.data, accountID: item.accountID ?? scope.accountID?.text,
            underwritingID: item.underwritingID ?? scope.underwritingID?.text,
            executionID: item.executionID ?? scope.executionID?.text, resumePoint: item.payload)
    }
}

extension CommandFailure {
    fileprivate static func stopped(_ signal: StopSignal) -> CommandFailure {
        CommandFailure(
            signal.status, "stopped while the inputs were read; nothing was worked on, so run the command again")
    }
}
