import AssayCommands

@main struct Assay {
    static func main() async { await CommandLineTool.main() }
}
