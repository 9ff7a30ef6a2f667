/// The thresholds and word lists of the factors.
///
/// A phrase is one or more words in upper case; it matches whole words that follow one another.
public struct FactorSettings: Codable, Hashable, Sendable {
    /// Days that end below this balance are low; 500 units by default.
    public var lowBalance = Amount(billionths: 500 * Amount.one)
    /// A deposit is large above this share of a month's true revenue; 0.5 by default.
    public var largeDepositShare = Amount(billionths: 500_000_000)
    /// How many excluded deposits, large deposits and recurring streams are listed at most; 50 each by default.
    public var mostListed = 50

    /// Those who buy future receivables: their debits are advance payments, their credits proceeds.
    public var funders = [
        "RAPID", "CREDIBLY", "FORWARD FINANCING", "CAN CAPITAL", "ON DECK", "ONDECK", "FUNDBOX", "KAPITUS", "FUNDING",
        "MERCHANT CASH", "CASH ADVANCE", "MCA", "BLUEVINE", "LIBERTAS", "BIZFI", "FORA FINANCIAL", "NATIONAL FUNDING",
        "YELLOWSTONE CAPITAL", "PEARL CAPITAL", "KALAMATA", "EVEREST BUSINESS", "MANTIS", "RELIANT FUNDING", "CLEARCO",
        "WAYFLYER", "EBF HOLDINGS", "KNIGHT CAPITAL", "EXPANSION CAPITAL", "HEADWAY CAPITAL", "FORWARD CAPITAL",
    ]
    /// Those who process payments; they lend only where `CAPITAL`, `LOAN` or `WORKING` follows.
    public var processors = ["STRIPE", "SQUARE", "PAYPAL", "SHOPIFY", "TOAST", "CLOVER", "AMAZON", "SQ"]
    /// Words of loans and leases.
    public var lenders = [
        "LOAN", "LOANS", "EIDL", "SBA", "LEASE PMT", "LEASE PAYMENT", "EQUIPMENT FINANCE", "ALLY AUTO", "MORTGAGE",
        "AUTO FINANCE", "LENDING CLUB", "LENDINGCLUB", "FINANCE CO", "LINE OF CREDIT", "LOC PAYMENT",
    ]
    /// Words of money that a loan or an advance brings in.
    public var proceeds = [
        "LOAN PROCEEDS", "LOAN", "LOANS", "EIDL", "SBA", "LINE OF CREDIT", "LOC ADVANCE", "CREDIT LINE ADVANCE",
        "ADVANCE PROCEEDS", "TERM LOAN", "PPP",
    ]
    /// Payroll and those who run it; not with the word `FEE`.
    public var payrollAgents = [
        "PAYROLL", "GUSTO", "ADP", "PAYCHEX", "INTUIT PAYROLL", "PAYCOM", "PAYLOCITY", "RIPPLING", "TRINET", "SALARY",
        "WAGES",
    ]
    /// Transfers between the merchant's own accounts; not with the word `WIRE`.
    public var transfers = [
        "ONLINE TRANSFER", "ONLINE BANKING TRANSFER", "TRANSFER FROM", "TRANSFER FRM", "TRANSFER TO", "XFER FROM",
        "XFER TO", "TFR FROM", "TFR TO", "INTERNAL TRANSFER", "BOOK TRANSFER", "ACCOUNT TRANSFER", "FUNDS TRANSFER",
        "OWN ACCOUNT", "OVERDRAFT PROTECTION", "OD PROTECTION", "SWEEP", "MOBILE TRANSFER", "EXT TRNSFR",
    ]
    /// Words of money given back.
    public var refunds = [
        "REFUND", "REFUNDED", "REVERSAL", "REVERSED", "RETURN", "RETURNED", "CASH BACK", "CASHBACK", "CHARGEBACK",
        "REBATE", "REIMBURSEMENT", "CASH REWARD", "CREDIT ADJUSTMENT",
    ]
    /// Words of interest and dividends.
    public var interest = ["INTEREST", "DIVIDEND", "DIVIDENDS"]
    /// Words of tax given back.
    public var taxRefunds = ["TAX REFUND", "IRS TREAS", "TAX REF", "FRANCHISE TAX REFUND"]
    /// Insurance, legal and asset sale proceeds.
    public var proceedsOfClaims = [
        "INSURANCE CLAIM", "CLAIM PAYMENT", "SETTLEMENT PROCEEDS", "LEGAL SETTLEMENT", "SALE OF ASSET", "ASSET SALE",
    ]
    /// Words of the owners' own money.
    public var contributions = [
        "OWNER CONTRIBUTION", "CAPITAL CONTRIBUTION", "OWNER DEPOSIT", "MEMBER CONTRIBUTION", "SHAREHOLDER LOAN",
        "OWNER LOAN",
    ]
    /// Gambling, crypto currencies, payroll and benefits received.
    public var otherIncome = [
        "CASINO", "DRAFTKINGS", "FANDUEL", "BETMGM", "COINBASE", "BINANCE", "KRAKEN", "CRYPTO", "PAYROLL", "SALARY",
        "UNEMPLOYMENT", "SOCIAL SECURITY", "SSA TREAS",
    ]
    /// Words of a debit that was refused for lack of funds.
    public var insufficientFunds = [
        "NSF", "NON SUFFICIENT", "NONSUFFICIENT", "INSUFFICIENT FUNDS", "RETURNED ITEM FEE", "RETURNED ITEM CHARGE",
        "RETURNED CHECK FEE", "RETURNED CHECK CHARGE", "RETURNED CHEQUE FEE", "RETURNED CHEQUE CHARGE",
        "RETURN OF POSTED ITEM",
    ]
    /// Words of a customer's check that bounced, which is not the merchant's own lack of funds.
    public var returnedDeposits = [
        "DEPOSITED ITEM RETURNED", "RETURNED DEPOSITED ITEM", "RETURNED DEPOSIT", "DEPOSIT RETURNED", "RETURNED CHEQUE",
        "RETURNED CHECK",
    ]
    /// Words of fees for overdrafts.
    public var overdrafts = ["OVERDRAFT FEE", "OVERDRAFT ITEM FEE", "EXTENDED OVERDRAFT", "OD FEE"]
    /// Words of fees.
    public var fees = ["FEE", "FEES", "SERVICE CHARGE", "SERVICE CHRG", "SVC CHG", "MAINTENANCE CHARGE"]
    /// Words of rent; a fixed, frequent debit with one of them is no advance payment.
    public var rents = ["RENT", "PROPERTIES", "PROPERTY", "LANDLORD", "MIETE", "LOYER", "HUUR", "HYRA"]
    /// Words of taxes; a fixed, frequent debit with one of them is no advance payment.
    public var taxes = [
        "TAX", "TAXES", "IRS", "USATAXPYMT", "FINANZAMT", "STEUER", "IMPOTS", "DGFIP", "BELASTINGDIENST", "HMRC",
    ]
    /// Words of what the owners take out.
    public var ownerDraws = [
        "OWNER DRAW", "OWNERS DRAW", "OWNER S DRAW", "MEMBER DRAW", "PARTNER DRAW", "SHAREHOLDER DISTRIBUTION",
        "OWNER DISTRIBUTION", "MEMBER DISTRIBUTION", "PRIVATENTNAHME", "DIVIDEND PAID",
    ]

    /// Makes a value of its parts.
    public init() {}
}
