import AssayCommands

@main struct Assay {
    static func main() async {
        CommandLineTool.serveIfAsked()
        await CommandLineTool.main()
    }
}
