internal import Locks

/// The tables of the functions that were asked for lately: what one request has made others find.
final class RadialTables: Sendable {
    static let shared = RadialTables()

    /// The latest last.
    private let tables = Lock<[RadialTable]>([])
    private static let most = 16

    func table(_ function: NumericalFunction) -> RadialTable {
        tables.withLock { tables in
            if let index = tables.firstIndex(where: { $0.function.activation == function.activation }) {
                let table = tables.remove(at: index)
                tables.append(table)
                return table
            }
            if tables.count == Self.most { tables.removeFirst() }
            let table = RadialTable(function)
            tables.append(table)
            return table
        }
    }
}
