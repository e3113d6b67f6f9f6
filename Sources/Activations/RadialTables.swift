internal import Locks

/// The tables of the functions that were asked for lately: what one request has made others find.
package final class RadialTables: Sendable {
    package static let shared = RadialTables()

    /// The latest last.
    private let tables = Lock<[RadialTable]>([])
    private static let most = 16
    /// Cells of all tables, 8 KB each: 32 MB for the process.
    private static let mostCells = 4096

    package func table(_ function: NumericalFunction) -> RadialTable {
        tables.withLock { tables in
            if let index = tables.firstIndex(where: { $0.function.activation == function.activation }) {
                let table = tables.remove(at: index)
                tables.append(table)
                return table
            }
            if tables.count == Self.most { tables.removeFirst().clear() }
            let table = RadialTable(function)
            tables.append(table)
            return table
        }
    }

    /// Counts a table that has new cells, and empties those that had some longest ago where all have too many.
    package func keep(_ table: RadialTable) {
        tables.withLock { tables in
            if let index = tables.firstIndex(where: { $0 === table }) {
                tables.remove(at: index)
            } else if tables.count == Self.most {
                tables.removeFirst().clear()
            }
            tables.append(table)
            var count = 0
            for table in tables.reversed() {
                count += table.cellCount
                if count > Self.mostCells { table.clear() }
            }
        }
    }
}
