/// The files that `assay init` writes.
enum InitFiles {
    static let pipeline = "pipeline.yaml"
    static let inputs = "statements"

    /// The paths in the folder, with their texts.
    static let all: [(path: String, text: String)] =
        [
            (pipeline, pipelineText),
            (inputs + "/2025-01.ofx", january),
            (inputs + "/2025-02.ofx", february),
        ] + programFiles

    private static let pipelineText = """
        # Reads bank statements and works out factors for underwriting.
        #
        #   assay validate pipeline.yaml               checks this file
        #   assay run pipeline.yaml statements         runs it over every file of a folder
        #   assay runs list                            shows what was run
        #   assay costs report                         shows what it cost

        # One processor over all inputs, in three phases: every input is checked first, then each is
        # worked on by itself, then all outputs are added up.
        run_as: processor

        # For whom the run works. Inputs that name another account are refused.
        account_id: acc_demo

        # How many inputs at once: sequential, thread, or auto, which finds out.
        runner: {type: thread, max_workers: 4}

        # What a failed input means for the rest: collect (go on), stop, atomic, {tolerate: 0.1}.
        on_failure: collect

        processors:
          - processor_id: bank_statement
            processor_type: bank_statement
            # The longest one file may take.
            timeout: 30s
            # Further attempts for failures that may pass.
            error_strategy: {type: retry, max_retries: 2, initial_delay: 0.5}

        # What things cost. A price in the store ('assay costs prices set') comes before these.
        prices:
          currency: USD
          processors:
            # Charged once for each execution, however often it is resumed or retried.
            bank_statement: {base_cost: 0.10, charge: per_execution}

        """

    private static let january = statement(
        from: "20250101", to: "20250131", closing: "10184.50",
        entries: [
            ("CREDIT", "20250103", "4200.00", "2025010301", "CARD SETTLEMENT"),
            ("DEBIT", "20250106", "-1850.00", "2025010601", "OFFICE RENT"),
            ("CREDIT", "20250114", "3150.75", "2025011401", "CARD SETTLEMENT"),
            ("DEBIT", "20250120", "-612.25", "2025012001", "SUPPLIES"),
            ("DEBIT", "20250131", "-3204.00", "2025013101", "PAYROLL"),
        ])

    private static let february = statement(
        from: "20250201", to: "20250228", closing: "8890.10",
        entries: [
            ("CREDIT", "20250204", "3980.00", "2025020401", "CARD SETTLEMENT"),
            ("DEBIT", "20250206", "-1850.00", "2025020601", "OFFICE RENT"),
            ("DEBIT", "20250213", "-3000.00", "2025021301", "EQUIPMENT"),
            ("CREDIT", "20250218", "2779.60", "2025021801", "CARD SETTLEMENT"),
            ("DEBIT", "20250228", "-3204.00", "2025022801", "PAYROLL"),
        ])

    private static func statement(
        from: String, to: String, closing: String,
        entries: [(kind: String, day: String, amount: String, id: String, name: String)]
    ) -> String {
        let list = entries.map { entry in
            "<STMTTRN><TRNTYPE>\(entry.kind)<DTPOSTED>\(entry.day)<TRNAMT>\(entry.amount)"
                + "<FITID>\(entry.id)<NAME>\(entry.name)</STMTTRN>"
        }
        return """
            OFXHEADER:100
            DATA:OFXSGML
            VERSION:102
            SECURITY:NONE
            ENCODING:USASCII
            CHARSET:1252
            COMPRESSION:NONE
            OLDFILEUID:NONE
            NEWFILEUID:NONE

            <OFX>
            <SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>\(to)<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>
            <BANKMSGSRSV1><STMTTRNRS><TRNUID>0<STATUS><CODE>0<SEVERITY>INFO</STATUS>
            <STMTRS><CURDEF>USD
            <BANKACCTFROM><BANKID>021000021<ACCTID>000123456789<ACCTTYPE>CHECKING</BANKACCTFROM>
            <BANKTRANLIST><DTSTART>\(from)<DTEND>\(to)
            \(list.joined(separator: "\n"))
            </BANKTRANLIST>
            <LEDGERBAL><BALAMT>\(closing)<DTASOF>\(to)</LEDGERBAL>
            </STMTRS></STMTTRNRS></BANKMSGSRSV1>
            </OFX>

            """
    }
}
