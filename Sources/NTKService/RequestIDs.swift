internal import Synchronization

/// Makes ids for requests: 16 hexadecimal digits that do not repeat in a process, and hardly among processes. Not secret.
final class RequestIDs: Sendable {
    private let state = Atomic<UInt64>(UInt64.random(in: UInt64.min...UInt64.max))

    func next() -> String {
        // SplitMix64 (Steele, Lea, Flood 2014): a bijection of the counter, without a system call for each.
        var z = state.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return unsafe String(unsafeUninitializedCapacity: 16) { digits in
            for index in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: z >> (60 - 4 * UInt64(index))) & 15
                unsafe digits[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
            }
            return 16
        }
    }
}
