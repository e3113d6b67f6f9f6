/// A count that requests size, such as bytes or operations: sums and products that overflow are the largest integer, and so over every limit.
package struct Count: Sendable, Equatable, ExpressibleByIntegerLiteral {
    package let value: Int

    package init(_ value: Int) { self.value = value }
    package init(integerLiteral value: Int) { self.value = value }

    package static func + (a: Count, b: Count) -> Count { Count(a.value.addingClamped(b.value)) }
    package static func * (a: Count, b: Count) -> Count { Count(a.value.multipliedClamped(by: b.value)) }
    package static func += (a: inout Count, b: Count) { a = a + b }
}
