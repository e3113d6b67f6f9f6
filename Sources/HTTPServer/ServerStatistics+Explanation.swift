import HTTP1

extension ServerStatistics.Refusal {
    /// For the client that is refused.
    var explanation: String {
        switch self {
        case .serverLimit: "As many connections are open as this server takes."
        case .addressLimit: "As many connections are open from this address as this server takes from one."
        case .resources: "The system has no room for another connection."
        }
    }
}
