/// The value of a label. It can be made from what the program itself is written with, and from nothing that a client sends: so the number of
/// time series has a bound.
package struct LabelValue: Sendable, Hashable {
    let text: String

    package init(_ literal: StaticString) { text = literal.description }

    /// One case of a closed set of words.
    package init<Case: CaseIterable & RawRepresentable>(_ value: Case) where Case.RawValue == String { text = value.rawValue }

    /// A status code; what is none counts as 500, which is what would be sent.
    package init(status: Int) { text = String((100...599).contains(status) ? status : 500) }

    /// What this build is written with, such as its version, or the path of a resource.
    package init(ofThisBuild text: String) { self.text = text }
}

/// The labels of one time series: as many values as the set has names, in their order.
package protocol LabelSet: Hashable, Sendable {
    static var names: [StaticString] { get }
    var values: [LabelValue] { get }
}

/// A set of one label with a few values, all of which are shown from the start.
package protocol SingleLabel: LabelSet, CaseIterable, RawRepresentable where RawValue == String {
    static var name: StaticString { get }
}

extension SingleLabel {
    package static var names: [StaticString] { [name] }
    package var values: [LabelValue] { [LabelValue(self)] }
}
