/// A reader for the only call of a connection.
struct HTTPReader {
    private let connection: Int32
    private var bytes: [UInt8] = []

    init(_ connection: Int32) { self.connection = connection }

    /// Returns the call; `nil` when the caller disconnected in the middle of it, or does not speak HTTP.
    func call() -> CountingProvider.Call? {
        var reader = self
        return reader.read()
    }

    private mutating func read() -> CountingProvider.Call? {
        let mark = Array("\r\n\r\n".utf8)
        var end: Int?
        while end == nil {
            guard bytes.count < 1 << 20, more() else { return nil }
            end = bytes.indices.dropLast(3).first { bytes[$0..<$0 + 4].elementsEqual(mark) }
        }
        guard let end else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].drop { $0 == " " }.description
        }
        if headers["expect"] == "100-continue" {
            Socket.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), to: connection)
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while bytes.count < end + 4 + length { guard more() else { return nil } }
        return CountingProvider.Call(
            method: String(words[0]), path: String(words[1]), headers: headers,
            body: Array(bytes[(end + 4)..<(end + 4 + length)]))
    }

    private mutating func more() -> Bool {
        let chunk = Socket.receive(connection)
        bytes += chunk
        return !chunk.isEmpty
    }
}
