import Assay
import Foundation

extension DefinitionFiles {
    /// Returns the files that `pattern` matches, or the one that it names, from `folder`; the contents of all count.
    static func files(matching pattern: String, from folder: String) -> [Entry] {
        guard !pattern.isEmpty, !pattern.utf8.contains(0) else { return [] }
        let place = FilePath.absolute(pattern, from: folder)
        if isFile(place) { return [entry(place, in: folder, isRead: true)] }
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(place, GLOB_NOSORT, nil, &result) == 0 else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { index in
            result.gl_pathv[index].flatMap { String(validatingCString: $0) }
        }
        .filter(isFile).sorted().map { entry($0, in: folder, isRead: true) }
    }

    /// Returns the program and those arguments of `command` that are files. Files in or below `folder` count by their
    /// contents, others by their paths.
    ///
    /// - Parameters:
    ///   - executable: the resolved program.
    ///   - arguments: the arguments as passed.
    ///   - workingFolder: the program's working folder, if one is given.
    static func files(
        ofCommand executable: String, arguments: [String], from folder: String, workingFolder: String?
    ) -> DefinitionFiles {
        let places = arguments.compactMap { argument -> String? in
            guard !argument.isEmpty else { return nil }
            if argument.hasPrefix("/") { return FilePath.absolute(argument) }
            return workingFolder.map { FilePath.absolute(argument, from: $0) }
        }
        var entries: [Entry] = []
        for place in [FilePath.absolute(executable)] + places.filter(isFile) {
            let found = entry(place, in: folder, isRead: nil)
            if !entries.contains(found) { entries.append(found) }
        }
        return DefinitionFiles(entries)
    }

    private static func entry(_ place: String, in folder: String, isRead: Bool?) -> Entry {
        let name = FilePath.relative(place, to: FilePath.absolute(folder))
        let isInside = !name.hasPrefix("/")
        return Entry(name: isInside ? "./" + name : name, path: place, isRead: isRead ?? isInside)
    }

    private static func isFile(_ place: String) -> Bool {
        var found = stat()
        return stat(place, &found) == 0 && found.st_mode & S_IFMT == S_IFREG
    }
}
