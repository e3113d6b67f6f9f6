import Activations
import Architecture

/// The tables of one kernel: equal ones are made once, and asked for before.
final class SpatialTables {
    let meter: CompilationMeter
    private var lists: [ListKey: BlockList] = [:]
    private var rows: [WindowGeometry: [Int32]] = [:]
    private var windows: [WindowGeometry: WindowTable] = [:]

    private struct ListKey: Hashable {
        var spatial: [Int]
        var pairing: Pairing
    }

    init(meter: CompilationMeter) { self.meter = meter }

    /// All blocks of a value.
    func list(_ spatial: [Int], _ pairing: Pairing) throws(ArchitectureError) -> BlockList {
        let key = ListKey(spatial: spatial, pairing: pairing)
        if let known = lists[key] { return known }
        let list = try BlockList(PositionGrid(spatial), pairing, meter: meter)
        lists[key] = list
        return list
    }

    /// The windows of a geometry over single positions.
    func window(_ geometry: WindowGeometry, input: [Int], output: [Int]) throws(ArchitectureError) -> WindowTable {
        if let known = windows[geometry] { return known }
        let table = try WindowTable(
            geometry, rows: leadingRows(geometry), input: list(input, .aligned), output: list(output, .aligned), meter: meter)
        windows[geometry] = table
        return table
    }

    func leadingRows(_ geometry: WindowGeometry) throws(ArchitectureError) -> [Int32] {
        if let known = rows[geometry] { return known }
        let made = try WindowTable.leadingRows(geometry, meter: meter)
        rows[geometry] = made
        return made
    }
}
