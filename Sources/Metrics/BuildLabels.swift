/// What this program is.
package struct BuildLabels: LabelSet {
    package static let names: [StaticString] = ["version"]
    private var version: LabelValue

    package init(version: String) { self.version = LabelValue(ofThisBuild: version) }

    package var values: [LabelValue] { [version] }
}
