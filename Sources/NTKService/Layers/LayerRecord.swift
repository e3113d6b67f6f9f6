internal import NTK
internal import TensorFormats

/// What the interface knows of a layer, told once: its name, its fields in the order in which they are read, and what they make. Requests are
/// read by these records, `GET /v1/layers` lists them, and the document is compared with them.
struct LayerRecord<Product>: Sendable {
    enum Group: String, Sendable {
        /// Puts layers together.
        case combinator
        /// Is linear in its input, or normalizes it.
        case linear
        /// A function of each element.
        case activation
    }

    let name: String
    let group: Group
    let words: String
    let fields: [FieldDescription]
    let read: @Sendable (inout ObjectReader) throws(ProblemDetails) -> Product

    /// - Parameter make: gets the values of the fields in their order.
    init<each Value>(
        _ name: String, _ group: Group, _ words: String, _ fields: repeat LayerField<each Value>,
        make: @escaping @Sendable (repeat each Value) throws(ProblemDetails) -> Product
    ) {
        var descriptions: [FieldDescription] = []
        for field in repeat each fields { descriptions += field.descriptions }
        self.name = name
        self.group = group
        self.words = words
        self.fields = descriptions
        read = { reader throws(ProblemDetails) in try make(repeat try (each fields).read(&reader)) }
    }
}
