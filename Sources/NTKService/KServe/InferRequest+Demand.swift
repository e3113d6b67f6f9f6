internal import HTTP1
internal import TensorFormats

extension InferRequest {
    /// Bytes of JSON that are searched for data types.
    private static let searchedBytes = 1 << 20
    /// A number in binary: as float64 in an array, and in a matrix.
    private static let bytesPerNumber = 16

    /// Bytes that it takes to read a request beside itself: its tensors become float64.
    static func demand(_ request: ServerRequest, _ guess: JSONDemand.Guess) -> Int {
        let count = (try? headCount(request)) ?? request.body.count
        let (head, tensors) = (request.body[..<count], request.body[count...])
        let json = JSONDemand(head, guess).bytes
        guard !tensors.isEmpty else { return json }
        return json + head.count + tensors.count / smallestNumber(head) * bytesPerNumber
    }

    /// Bytes of a number of the shortest type that the head may name: it is not parsed for that.
    private static func smallestNumber(_ head: ArraySlice<UInt8>) -> Int {
        let text = head.count <= searchedBytes ? String(decoding: head, as: UTF8.self) : ""
        // An escape can stand for any letter.
        guard !text.isEmpty, !text.contains("\\") else { return 1 }
        return InferDatatype.allCases.filter { text.contains($0.rawValue) }.map(\.size).min() ?? 8
    }
}
