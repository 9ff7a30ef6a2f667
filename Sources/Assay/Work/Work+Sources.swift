// The sources of an item's work must stay what the run began with: its file, and the files of its processor.

extension Work {
    /// Checks that the item's file and the files of its processor are unchanged. It blocks to read their status, and to
    /// read the files where that is not enough.
    ///
    /// - Throws: ``ProcessingError`` with code `input_changed`, `not_found` or `configuration` for the file,
    ///   `definition_changed` for the processor.
    func verifySources() throws(ProcessingError) {
        try session.processor.files?.verify()
        try entry.listedFile?.verify()
    }
}

extension StoredItem {
    /// The file of the item, also at nodes of a graph that are not sources.
    fileprivate var listedFile: InputFile? { item.file ?? origin }

    /// Whether its file, if it has one, is what was listed.
    var isAsListed: Bool {
        guard let listedFile else { return true }
        do { try listedFile.verify() } catch { return false }
        return true
    }
}
