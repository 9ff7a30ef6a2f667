extension FailureRecord {
    /// Returns the record of a run that `policy` stopped because of this failure.
    func stopping(_ policy: FailurePolicy, _ failures: Int, of total: Int, _ places: SettingPlaces) -> FailureRecord {
        let place = places["on_failure"]
        if case .tolerate(let share) = policy {
            var record = self
            record.message =
                "\(Limit("tolerate: \(share)", setAt: place)): \(failures) of \(total) inputs failed, at last "
                + "\((inputID ?? "").visible): \(lastLine)"
            record.resumePoint = nil
            return record
        }
        return ending("\(Limit("on_failure: \(policy)", setAt: place)) allows no failure")
    }

    /// Returns the record of what `limit` ended because of this failure, after the limit had been used up.
    func ending(_ limit: String) -> FailureRecord {
        var record = self
        let node = processorID.map { " at node '\($0)'" } ?? ""
        record.message = "\(limit); \((inputID ?? "").visible) failed\(node): \(lastLine)"
        record.resumePoint = nil
        return record
    }
}
