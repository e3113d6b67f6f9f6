import FiniteNetworks
import Foundation

/// A little of numpy's format, as the reference networks use it: C order, float64 or int64.
struct NpyFile {
    var shape: [Int]
    var reals: [Double] = []
    var integers: [Int64] = []
    var isReal: Bool

    init(_ url: URL) throws {
        let data = try [UInt8](Data(contentsOf: url))
        let length = Int(data[8]) | Int(data[9]) << 8
        let header = String(decoding: data[10..<10 + length], as: UTF8.self)
        let open = header.firstIndex(of: "(")!
        let close = header.firstIndex(of: ")")!
        shape = header[header.index(after: open)..<close].split(separator: ",").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
        isReal = header.contains("f8")
        for start in stride(from: 10 + length, to: data.count, by: 8) {
            var bits: UInt64 = 0
            for byte in 0..<8 { bits |= UInt64(data[start + byte]) << UInt64(8 * byte) }
            if isReal { reals.append(Double(bitPattern: bits)) } else { integers.append(Int64(bitPattern: bits)) }
        }
    }

    var input: NetworkInput { NetworkInput(shape: shape, isReal ? .reals(reals) : .integers(integers)) }
}

/// max |a − b| / max |b|.
func relativeDistance(_ a: [Double], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    let largest = b.map(abs).max() ?? 0
    var distance = 0.0
    for (x, y) in zip(a, b) {
        guard x.isFinite else { return .infinity }
        distance = max(distance, abs(x - y))
    }
    return distance / largest
}
