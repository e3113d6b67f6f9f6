extension Npz {
    /// Bytes of all members together once they are inflated, as the directory says: more is not inflated. Of a damaged one, those of the members
    /// before the damage, beyond which nothing is read.
    package static func inflatedBytes(_ bytes: ArraySlice<UInt8>) -> Int {
        guard var directory = try? NpzDirectory(bytes) else { return 0 }
        var sum = 0
        while let entry = try? directory.next() {
            let (total, overflow) = sum.addingReportingOverflow(entry.size)
            sum = overflow ? .max : total
        }
        return sum
    }
}
