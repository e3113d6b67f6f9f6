/// How the descriptors of the process are shared out, so that a client for which there is no room is told so and does not wait in the backlog.
struct DescriptorShares {
    /// Connections that are served at once.
    let connections: Int
    /// Connections that are told that there is no room.
    let refusals: Int

    /// - Parameters:
    ///   - limit: Of the process.
    ///   - open: That are open before the first connection comes.
    ///   - wanted: Connections that were asked for; zero for as many as there are.
    init(limit: Int, open: Int, wanted: Int) {
        // Files need descriptors, too: what is stored, and libraries.
        let files = min(256, max(8, limit / 8))
        let room = max(limit - open - files, 2)
        let most = wanted > 0 ? min(wanted, room - 1) : room - min(256, max(1, room / 16))
        connections = most
        refusals = min(256, max(16, most / 16), room - most)
    }
}
