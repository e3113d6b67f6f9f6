package import HTTPTypes

extension HTTPFields {
    /// What the subscript gives, without a sequence and a joined copy for the one line that it nearly always is.
    package func value(_ name: HTTPField.Name) -> String? {
        guard let place = firstIndex(where: { $0.name == name }) else { return nil }
        if self[(place + 1)...].contains(where: { $0.name == name }) { return self[name] }
        return self[place].value
    }
}
