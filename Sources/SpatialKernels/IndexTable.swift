/// Values by small integers: an array with gaps.
struct IndexTable<Value: Sendable>: Sendable, ExpressibleByDictionaryLiteral {
    private var items: [Value?]

    init() { items = [] }

    init(dictionaryLiteral elements: (Int, Value)...) {
        items = []
        for (index, value) in elements { self[index] = value }
    }

    var values: [Value] { items.compactMap { $0 } }

    subscript(index: Int) -> Value? {
        get { index < items.count ? items[index] : nil }
        set {
            while items.count <= index { items.append(nil) }
            items[index] = newValue
        }
    }
}
