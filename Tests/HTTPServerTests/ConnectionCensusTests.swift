import HTTP1
import TestSupport
import Testing

@testable import HTTPServer

@Suite("The census of connections")
struct ConnectionCensusTests {
    private enum Outcome: Equatable {
        case served
        case refused(ServerStatistics.Refusal)
        case dropped(ServerStatistics.Refusal)
    }

    private func enter(_ census: ConnectionCensus, _ network: UInt64 = 1) -> Outcome {
        switch census.enter(network) {
        case .served: .served
        case .refused(let reason): .refused(reason)
        case .dropped(let reason): .dropped(reason)
        }
    }

    @Test("As many as the limit, then refusals, then not even those; each that leaves makes room for one")
    func total() {
        let census = ConnectionCensus(most: 3, mostByNetwork: 0)
        for _ in 0..<3 { #expect(enter(census) == .served) }
        for _ in 0..<16 { #expect(enter(census) == .refused(.serverLimit)) }
        #expect(enter(census) == .dropped(.serverLimit))
        census.leave(1, wasServed: false)
        #expect(enter(census) == .refused(.serverLimit))
        census.leave(1, wasServed: true)
        #expect(enter(census) == .served)
    }

    @Test("A network's limit is its own")
    func networks() {
        let census = ConnectionCensus(most: 100, mostByNetwork: 2)
        for network in 1...3 as ClosedRange<UInt64> {
            #expect(enter(census, network) == .served)
            #expect(enter(census, network) == .served)
            #expect(enter(census, network) == .refused(.addressLimit))
        }
        census.leave(2, wasServed: true)
        #expect(enter(census, 1) == .refused(.addressLimit))
        #expect(enter(census, 2) == .served)
        #expect(enter(census, 2) == .refused(.addressLimit))
    }

    @Test("Any order of coming and going ends with an empty census", arguments: [1, 2, 3])
    func balance(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let census = ConnectionCensus(most: 5, mostByNetwork: 2)
        var here: [(network: UInt64, wasServed: Bool)] = []
        for _ in 0..<2_000 {
            if Bool.random(using: &generator), let index = here.indices.randomElement(using: &generator) {
                let one = here.remove(at: index)
                census.leave(one.network, wasServed: one.wasServed)
            } else {
                let network = UInt64.random(in: 1...6, using: &generator)
                switch enter(census, network) {
                case .served: here.append((network, true))
                case .refused: here.append((network, false))
                case .dropped: break
                }
            }
            let served = here.filter(\.wasServed)
            #expect(served.count <= 5, "seed \(seed)")
            #expect(served.filter { $0.network == 1 }.count <= 2, "seed \(seed)")
        }
        for one in here { census.leave(one.network, wasServed: one.wasServed) }
        for _ in 0..<2 { #expect(enter(census, 1) == .served && enter(census, 2) == .served) }
    }
}
