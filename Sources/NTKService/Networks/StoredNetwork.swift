/// A network as it is kept in memory.
struct StoredNetwork: Sendable {
    var network: NetworkReference
    /// Of one from a model file what a client is told of it: the members of an object.
    var members = ""

    var summary: NetworkStore.Summary {
        switch network {
        case .architecture(let source): .architecture(NetworkSummary(source))
        case .file: .file(members: members)
        }
    }
}
