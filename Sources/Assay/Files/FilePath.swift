import Foundation

/// Operations on paths as text.
package enum FilePath {
    /// Returns `path` as an absolute path, with `.`, `..` and doubled slashes resolved and symbolic links kept.
    ///
    /// If a `..` after a symbolic link leads elsewhere than the text says, the result is the real path.
    ///
    /// - Parameter folder: the folder that a relative path starts from; `nil` for this program's working folder.
    package static func absolute(_ path: String, from folder: String? = nil) -> String {
        let whole =
            path.hasPrefix("/") ? path : (folder ?? FileManager.default.currentDirectoryPath) + "/" + path
        let plain = resolved(whole)
        guard whole.split(separator: "/").contains("..") else { return plain }
        var (said, meant) = (stat(), stat())
        guard stat(whole, &said) == 0 else { return plain }
        if stat(plain, &meant) == 0, said.st_dev == meant.st_dev, said.st_ino == meant.st_ino { return plain }
        guard let real = realpath(whole, nil) else { return plain }
        defer { free(real) }
        return String(cString: real)
    }

    /// Returns the text of an absolute path without `.`, `..` and doubled slashes.
    private static func resolved(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// Returns `path` relative to `root` if it lies below it, and unchanged otherwise; both are absolute.
    ///
    /// A path that leads below the root through a link to the root counts as lying there.
    package static func relative(_ path: String, to root: String) -> String {
        let prefix = root.hasSuffix("/") ? root : root + "/"
        if path.hasPrefix(prefix) { return String(path.dropFirst(prefix.count)) }
        var found = stat()
        guard stat(root, &found) == 0 else { return path }
        let parts = path.split(separator: "/")
        for count in parts.indices.dropFirst() {
            var folder = stat()
            guard stat("/" + parts[..<count].joined(separator: "/"), &folder) == 0 else { return path }
            if folder.st_dev == found.st_dev, folder.st_ino == found.st_ino {
                return parts[count...].joined(separator: "/")
            }
        }
        return path
    }
}
