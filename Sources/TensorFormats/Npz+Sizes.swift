extension Npz {
    /// Bytes of all members together once they are inflated, as the directory says: more is not inflated. Of what is no such file, as far as it
    /// can be read.
    package static func inflatedBytes(_ bytes: ArraySlice<UInt8>) -> Int {
        func number(_ place: Int, _ size: Int) -> Int {
            guard place >= bytes.startIndex, place <= bytes.endIndex - size else { return 0 }
            return (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
        }
        var end = bytes.endIndex - 22
        let first = max(bytes.startIndex, bytes.endIndex - 65_557)
        while end >= first, number(end, 4) != 0x0605_4B50 { end -= 1 }
        guard end >= first else { return 0 }
        var place = number(end + 16, 4)
        if place == 0xFFFF_FFFF {
            let large = number(end - 12, 8)
            guard large >= 0, large <= bytes.count - 56 else { return 0 }
            place = number(bytes.startIndex + large + 48, 8)
        }
        guard place >= 0, place <= bytes.count else { return 0 }
        place += bytes.startIndex
        var sum = 0
        while number(place, 4) == 0x0201_4B50 {
            var size = number(place + 24, 4)
            let extra = place + 46 + number(place + 28, 2)
            // The ZIP64 field begins with the size where that has no room of its own.
            if size == 0xFFFF_FFFF { size = max(number(extra + 4, 8), 0) }
            sum = sum.addingReportingOverflow(size).overflow ? .max : sum + size
            place = extra + number(place + 30, 2) + number(place + 32, 2)
        }
        return sum
    }
}
