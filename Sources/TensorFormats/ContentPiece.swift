/// A piece of a large content, made when it is needed, and as often as it is: each time the same bytes.
package struct ContentPiece: Sendable {
    /// Bytes; nil where only making it tells.
    package let length: Int?
    package let make: @Sendable () throws -> [UInt8]

    package init(length: Int? = nil, _ make: @escaping @Sendable () throws -> [UInt8]) {
        self.length = length
        self.make = make
    }

    package init(_ bytes: [UInt8]) { self.init(length: bytes.count) { bytes } }
}
