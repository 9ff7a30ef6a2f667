/// The exports that are known by their header, as public importers and their issues describe them.
///
/// A line has names, the header and settings. In a header `…` means any further columns, a column in brackets may be
/// missing, and a lone `-` says that the export has no header row. What a setting says is evidence of the fourth rank:
/// arithmetic and the structure of a file are stronger.
enum BuiltInList {
    static let text = #"""
        chase-bank | Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #,[] | country=US date_order=month account_type=bank amount_sign=bank
        chase-card | [Card],Transaction Date,Post Date,Description,Category,Type,Amount,[Memo] | country=US date_order=month account_type=card amount_sign=bank
        bofa-bank | Date,Description,Amount,Running Bal. | country=US date_order=month account_type=bank amount_sign=bank
        bofa-card | Posted Date,Reference Number,Payee,Address,Amount | country=US date_order=month account_type=card amount_sign=bank
        wells-fargo | - | country=US date_order=month date=0 amount=1 description=4
        citi-card | Status,Date,Description,Debit,Credit,… | country=US date_order=month account_type=card
        capital-one-card | Transaction Date,Posted Date,Card No.,Description,Category,Debit,Credit | country=US date_order=year account_type=card
        capital-one-360 | Account Number,Transaction Description,Transaction Date,Transaction Type,Transaction Amount,Balance | country=US date_order=month account_type=bank
        capital-one-360 | Account Number,Transaction Date,Transaction Amount,Transaction Type,Transaction Description,Balance | country=US date_order=month account_type=bank
        discover-card | Trans. Date,Post Date,Description,Amount,Category | country=US date_order=month account_type=card amount_sign=card
        discover-bank | Transaction Date,Transaction Description,Transaction Type,Debit,Credit,Balance | country=US date_order=month account_type=bank
        amex | Date,Description,Card Member,Account #,Amount,… | country=US account_type=card amount_sign=card account=none
        apple-card | Transaction Date,Clearing Date,Description,Merchant,Category,Type,Amount (USD),Purchased By | country=US date_order=month account_type=card amount_sign=card
        us-bank, elan, tangerine, mbna-ca | Date,Transaction,Name,Memo,Amount | country=US date_order=month
        navy-federal | Posting Date,Transaction Date,Amount,Credit Debit Indicator,type,… | country=US date_order=month
        pnc | Date,Description,Withdrawals,Deposits,Category,Balance | country=US date_order=month account_type=bank
        pnc-activity | Transaction Date,Transaction Description,Amount,Balance | country=US date_order=year
        td-us | Date,Bank RTN,Account Number,Transaction Type,Description,Debit,Credit,Check Number,Account Running Balance | country=US date_order=month account_type=bank
        truist | Posted Date,Transaction Date,Transaction Type,Check/Serial #,Description,Amount,Daily Posted Balance | country=US date_order=month account_type=bank
        usaa | Date,Description,Original Description,Category,Amount,Status | country=US date_order=year
        ally | Date,Time,Amount,Type,Description | country=US date_order=year account_type=bank amount_sign=bank
        schwab-bank | Date,Status,Type,CheckNumber,Description,Withdrawal,Deposit,RunningBalance | country=US date_order=month account_type=bank
        sofi | Date,Description,Type,Amount,Current balance,Status | country=US date_order=year account_type=bank amount_sign=bank
        first-horizon | Date,Account,Description,Check #,Category,Credit,Debit | country=US date_order=month account_type=bank
        mercury | Date (UTC),Description,Amount,Status,Source Account,… | country=US date_order=month account=Source_Account amount_sign=bank
        relay | Date,Payee,Account #,Transaction Type,Description,Reference,Status,Amount,Currency,Balance | country=US date_order=month account_type=bank account=none amount_sign=bank
        credit-union | Transaction Number,Date,Description,Memo,Amount Debit,Amount Credit,Balance,Check Number,… | country=US date_order=month account_type=bank
        mint | Date,Description,Original Description,Amount,Transaction Type,Category,Account Name,… | country=US date_order=month account=Account_Name
        paypal | Date,Time,TimeZone,Name,Type,Status,Currency,Gross,Fee,Net,…,Balance,… | amount=Net account_type=bank amount_sign=bank
        paypal | Datum,Uhrzeit,Zeitzone,…,Brutto,Entgelt,Netto,…,Guthaben,… | country=DE date_order=day amount=Netto account_type=bank amount_sign=bank
        stripe-balance | id,Type,Source,Amount,Fee,Net,Currency,Created (UTC),Available On (UTC),… | date_order=year amount=Net amount_sign=bank
        payoneer | Transaction Date,…,Credit Amount,Debit Amount,Currency,…,Status,Running Balance,… | account_type=bank
        rbc | Account Type,Account Number,Transaction Date,Cheque Number,Description 1,Description 2,CAD$,USD$ | country=CA date_order=month
        td-ca | - | country=CA date_order=month date=0 description=1 debit=2 credit=3 balance=4
        bmo | First Bank Card,Transaction Type,Date Posted,Transaction Amount,Description | country=CA date_order=year account_type=bank amount_sign=bank
        bmo-card | Item #,Card #,Transaction Date,Posting Date,Transaction Amount,Description | country=CA date_order=year account_type=card amount_sign=card
        scotia | Filter,Date,Description,Sub-description,Type of Transaction,Amount,Balance | country=CA date_order=year account_type=bank
        scotia-card | Filter,Date,Description,Sub-description,Status,Type of Transaction,Amount | country=CA date_order=year account_type=card
        eq | Date,Description,In,Out,Balance | country=CA date_order=year account_type=bank
        pc-financial | Merchant Name,Card Used For Transaction,Date,Time,Amount | country=CA date_order=month account_type=card amount_sign=card
        rogers | Transaction Date,Post Date,Description,Category,Card Number,Credit,Debit | country=CA date_order=year account_type=card
        wealthsimple | date,transaction,description,amount,balance | country=CA date_order=year
        barclays | Number,Date,Account,Amount,Subcategory,Memo | country=GB date_order=day account=Account account_type=bank amount_sign=bank
        lloyds, halifax, bank-of-scotland | Transaction Date,Transaction Type,Sort Code,Account Number,Transaction Description,Debit Amount,Credit Amount,Balance | country=GB date_order=day account_type=bank
        hsbc-uk | - | country=GB date_order=day date=0 description=1 amount=2
        natwest, rbs, ulster | Date,Type,Description,Value,Balance,Account Name,Account Number | country=GB date_order=day account=Account_Number amount_sign=bank
        nationwide | Date,Transaction type,Description,Paid out,Paid in,Balance | country=GB account_type=bank
        monzo | Transaction ID,Date,Time,Type,Name,Emoji,Category,Amount,Currency,Local amount,…,Money Out,Money In | country=GB date_order=day amount=Amount account_type=bank amount_sign=bank
        starling | Date,Counter Party,Reference,Type,Amount (GBP),Balance (GBP),… | country=GB date_order=day account_type=bank amount_sign=bank
        tide | Date,Transaction ID,Description,Paid In,Paid Out,… | country=GB date_order=day account_type=bank
        revolut | Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance | date_order=year fee=Fee account_type=bank
        wise | TransferWise ID,Date,Amount,Currency,Description,Payment Reference,Running Balance,… | date_order=day account_type=bank amount_sign=bank
        john-lewis-card | Date Processed,Description,Amount,[] | country=GB account_type=card
        aib | Posted Account,Posted Transactions Date,Description1,…,Debit Amount,Credit Amount,Balance,… | country=IE date_order=day account=Posted_Account account_type=bank
        boi | Date,Details,Debit,Credit,Balance | country=IE date_order=day account_type=bank
        dkb | Buchungsdatum,Wertstellung,Status,Zahlungspflichtige*r,Zahlungsempfänger*in,Verwendungszweck,Umsatztyp,IBAN,Betrag (€),… | country=DE date_order=day account_type=bank account=none amount_sign=bank
        ing-de | Buchung,Valuta,Auftraggeber/Empfänger,Buchungstext,Verwendungszweck,[Saldo],[Währung],Betrag,Währung | country=DE date_order=day account_type=bank amount_sign=bank
        n26 | Booking Date,Value Date,Partner Name,Partner Iban,Type,Payment Reference,Account Name,Amount (EUR),… | date_order=year account=Account_Name account_type=bank amount_sign=bank
        sparkasse-camt | Auftragskonto,Buchungstag,Valutadatum,Buchungstext,Verwendungszweck,Glaeubiger ID,…,Betrag,Waehrung,Info | country=DE date_order=day account=Auftragskonto account_type=bank amount_sign=bank
        sparkasse-mt940 | Auftragskonto,Buchungstag,Valutadatum,Buchungstext,Verwendungszweck,Beguenstigter/Zahlungspflichtiger,Kontonummer,BLZ,Betrag,Waehrung,Info | country=DE date_order=day account=Auftragskonto account_type=bank amount_sign=bank
        gls | Kontonummer,Buchungstag,Wertstellung,Auftraggeber/Empfänger,Buchungstext,VWZ1,…,Betrag,Kontostand,Währung | country=DE date_order=day account=Kontonummer account_type=bank amount_sign=bank
        fiducia | Buchungstag,Valuta,Auftraggeber/Zahlungsempfänger,…,Währung,Umsatz,[] | country=DE date_order=day account_type=bank
        vr-bank | Bezeichnung Auftragskonto,IBAN Auftragskonto,…,Buchungstag,Valutadatum,…,Betrag,Waehrung,Saldo nach Buchung,… | country=DE date_order=day account=IBAN_Auftragskonto account_type=bank amount_sign=bank
        deutsche-bank | Buchungstag,Wert,Umsatzart,…,Betrag,…,Soll,Haben,Währung | country=DE date_order=day account_type=bank
        commerzbank | Buchungstag,Wertstellung,Umsatzart,Buchungstext,Betrag,Währung,… | country=DE date_order=day account_type=bank amount_sign=bank
        comdirect | Buchungstag,Wertstellung (Valuta),Vorgang,Buchungstext,Umsatz in EUR,[] | country=DE date_order=day account_type=bank amount_sign=bank
        raiffeisen-at | - | country=AT delimiter=; date_order=day date=0 description=1 amount=3
        ubs | Trade date,Trade time,Booking date,Value date,Currency,Debit,Credit,Individual amount,Balance,… | country=CH date_order=year account_type=bank
        ubs | Abschlussdatum,…,Belastung,Gutschrift,Einzelbetrag,Saldo,… | country=CH account_type=bank
        ubs-card | Account number,Card number,…,Purchase date,Booking text,…,Debit,Credit,Booked | country=CH date_order=day account_type=card
        credit-suisse | Buchungsdatum,Text,Belastung,Gutschrift,…,Saldo | country=CH date_order=day account_type=bank
        postfinance | Datum,Avisierungstext,Gutschrift in CHF,Lastschrift in CHF,…,Saldo in CHF | country=CH date_order=day account_type=bank
        neon | Date,Amount,Original amount,Original currency,Exchange rate,Description,… | country=CH date_order=year amount=Amount account_type=bank amount_sign=bank
        swisscard | Transaktionsdatum,Beschreibung,Kartennummer,Währung,Betrag,Debit/Kredit,Status,Kategorie | country=CH date_order=day account_type=card
        ing-nl | Datum,Naam / Omschrijving,Rekening,Tegenrekening,Code,Af Bij,Bedrag (EUR),…,[Saldo na mutatie],[Tag] | country=NL date_order=year account=Rekening account_type=bank
        ing-nl | Date,Name / Description,Account,…,Debit/credit,Amount (EUR),Transaction type,…,[Resulting balance],[Tag] | country=NL date_order=year account=Account account_type=bank
        rabobank | IBAN/BBAN,Munt,BIC,Volgnr,Datum,Rentedatum,Bedrag,Saldo na trn,… | country=NL date_order=year account=IBAN/BBAN account_type=bank amount_sign=bank
        abn-amro | - | country=NL delimiter=tab date_order=year date=2 amount=6 description=7 account=0 balance=4
        bunq | Date,[Interest Date],Amount,Account,Counterparty,Name,Description | country=NL date_order=year account=Account account_type=bank amount_sign=bank
        knab | Rekeningnummer,Transactiedatum,Valutacode,CreditDebet,Bedrag,…,Boekdatum,… | country=NL date_order=day account=Rekeningnummer account_type=bank
        kbc | Rekeningnummer,Rubrieknaam,Naam,Munt,Afschriftnummer,Datum,Omschrijving,Valuta,Bedrag,Saldo,credit,debet,… | country=BE date_order=day account=Rekeningnummer account_type=bank amount_sign=bank
        fortis | Volgnummer,Uitvoeringsdatum,Valutadatum,Bedrag,Valuta rekening,Rekeningnummer,…,Status,Reden van weigering | country=BE date_order=day account=Rekeningnummer account_type=bank amount_sign=bank
        belfius | Rekening,Boekingsdatum,Rekeninguittrekselnummer,Transactienummer,…,Valutadatum,Bedrag,Devies,… | country=BE date_order=day account=Rekening account_type=bank amount_sign=bank
        keytrade | Uittreksel,Datum,Valutadatum,Rekening,Omschrijving,Bedrag,Valuta | country=BE date_order=day account=none account_type=bank amount_sign=bank
        boursobank | dateOp,dateVal,label,category,categoryParent,…,amount,…,accountNum,accountLabel,accountbalance | country=FR date_order=year account=accountNum amount_sign=bank
        qonto | Status,Settlement date (UTC),Operation date (UTC),Total amount (incl. VAT),Currency,… | country=FR account_type=bank
        fineco | Data,Entrate,Uscite,Descrizione,… | country=IT date_order=day account_type=bank
        ing-es | date,class,subcategory,desc,notes,image,amount,balance | country=ES date_order=day account_type=bank amount_sign=bank
        mbank | #Data operacji,#Data księgowania,#Opis operacji,#Tytuł,#Nadawca/Odbiorca,#Numer konta,#Kwota,#Saldo po operacji,[] | country=PL date_order=year account=none account_type=bank amount_sign=bank
        pko | Data operacji,Data waluty,Typ transakcji,Kwota,Waluta,…,Opis transakcji,… | country=PL date_order=year account_type=bank amount_sign=bank
        millennium | Numer rachunku/karty,Data transakcji,Data rozliczenia,…,Obciążenia,Uznania,Saldo,Waluta | country=PL date_order=year
        alior | Data transakcji,Data księgowania,…,Kwota operacji,Waluta operacji,Kwota w walucie rachunku,Waluta rachunku,… | country=PL date_order=day amount=Kwota_w_walucie_rachunku account_type=bank amount_sign=bank
        fio | ID operace,Datum,Objem,Měna,Protiúčet,… | country=CZ date_order=day account_type=bank amount_sign=bank
        danske | Dato,Kategori,Underkategori,Tekst,Beløb,Saldo,Status,Afstemt | country=DK date_order=day account_type=bank amount_sign=bank
        jyske | Dato,,Tekst,,Beløb,Saldo,Kommentar,…,Konto | country=DK date_order=day account_type=bank amount_sign=bank
        nordea-se | Bokföringsdag,Belopp,Avsändare,Mottagare,Namn,Rubrik,Saldo,Valuta | country=SE date_order=year account_type=bank account=none amount_sign=bank
        lansforsakringar | Bokföringsdatum,Transaktionsdatum,Transaktionstyp,Meddelande,Belopp | country=SE date_order=year account_type=bank amount_sign=bank
        dnb, sbanken | Dato,Forklaring,Rentedato,Ut fra konto,Inn på konto | country=NO date_order=day account_type=bank
        op | Kirjauspäivä,Arvopäivä,Määrä EUROA,Laji,Selitys,Saaja/Maksaja,… | country=FI date_order=day account_type=bank amount_sign=bank
        swedbank | Account No,,Date,Beneficiary,Details,Amount,Currency,D/K,Record ID,Code,… | date_order=day account=Account_No account_type=bank
        nubank | Data,Valor,Identificador,Descrição | country=BR date_order=day account_type=bank amount_sign=bank
        nubank-card | date,[category],title,amount | country=BR date_order=year account_type=card amount_sign=card
        banco-do-brasil | Data,Lançamento,Detalhes,N° documento,Valor,Tipo Lançamento | country=BR date_order=day account_type=bank
        itau | data,lançamento,ag./origem,valor (R$),saldos (R$) | country=BR date_order=day account_type=bank amount_sign=bank
        inter | Data Lançamento,Histórico,Descrição,Valor,Saldo | country=BR date_order=day account_type=bank amount_sign=bank
        cba | - | country=AU date_order=day date=0 amount=1 description=2 balance=3
        anz-au | - | country=AU date_order=day date=0 amount=1 description=2
        westpac-au | Bank Account,Date,Narrative,Debit Amount,Credit Amount,Balance,Categories,Serial | country=AU date_order=day account=Bank_Account account_type=bank
        ing-au | Date,Description,Credit,Debit,Balance | country=AU date_order=day account_type=bank
        anz-nz | Type,Details,Particulars,Code,Reference,Amount,Date,ForeignCurrencyAmount,ConversionCharge | country=NZ date_order=day amount=Amount account_type=bank amount_sign=bank
        hdfc | Date,Narration,Chq./Ref.No.,Value Dt,Withdrawal Amt.,Deposit Amt.,Closing Balance | country=IN date_order=day account_type=bank
        axis | Tran Date,CHQNO,PARTICULARS,DR,CR,BAL,SOL | country=IN date_order=day account_type=bank
        dbs | Transaction Date,Reference,Debit Amount,Credit Amount,Transaction Ref1,… | country=SG account_type=bank
        ocbc | Transaction date,Value date,Description,Withdrawals (SGD),Deposits (SGD) | country=SG date_order=day account_type=bank
        """#
}
