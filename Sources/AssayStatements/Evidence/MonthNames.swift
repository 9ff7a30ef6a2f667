/// Names of months, whole or cut short, in the languages of the banks.
enum MonthNames {
    private static let english = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    /// Returns the day as `2 September`.
    static func written(_ day: Day) -> String { "\(day.date.day) \(english[day.date.month - 1])" }

    /// Returns the month of a name; `nil` if it is none.
    static func month(_ word: Bytes) -> Int? {
        guard word.count >= 3, word.count <= 16 else { return nil }
        if word.count == 3 || word.withBuffer({ $0.allSatisfy { $0 < 0x80 } }) {
            let short = word.part(0, 3)
            for (index, name) in shortEnglish.enumerated() where short.isWord(name) && word.count <= 4 {
                return index + 1
            }
        }
        return names[FoldedText.of(word.text)]
    }

    private static let shortEnglish: [StaticString] = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ]

    private static let names: [String: Int] = {
        let list = """
            january,jan,januar,janvier,janv,januari,enero,ene,janeiro,gennaio,gen,stycznia,styczen,sty,leden,ledna
            february,feb,februar,fevrier,fevr,fev,februari,febrero,fevereiro,febbraio,lutego,luty,lut,unora,unor
            march,mar,marz,maerz,mrz,mars,maart,mrt,marzo,marco,marca,marzec,brezna,brezen,marts
            april,apr,avril,avr,abril,abr,aprile,kwietnia,kwiecien,kwi,dubna,duben
            may,mai,mei,mayo,maio,maggio,mag,maja,maj,kvetna,kveten
            june,jun,juni,juin,junio,junho,giugno,giu,czerwca,czerwiec,cze,cervna,cerven
            july,jul,juli,juillet,juil,julio,julho,luglio,lug,lipca,lipiec,lip,cervence,cervenec
            august,aug,aout,augustus,agosto,ago,sierpnia,sierpien,sie,srpna,srpen,augusti
            september,sep,sept,septembre,septiembre,setembro,set,settembre,wrzesnia,wrzesien,wrz,zari
            october,oct,oktober,okt,octobre,octubre,outubro,out,ottobre,ott,pazdziernika,pazdziernik,paz,rijna,rijen
            november,nov,novembre,noviembre,novembro,listopada,listopad,lis,listopadu
            december,dec,dezember,dez,decembre,diciembre,dic,dezembro,dicembre,grudnia,grudzien,gru,prosince,prosinec
            """
        var result: [String: Int] = [:]
        for (index, line) in list.split(separator: "\n").enumerated() {
            for name in line.split(separator: ",") { result[String(name)] = index + 1 }
        }
        return result
    }()
}
