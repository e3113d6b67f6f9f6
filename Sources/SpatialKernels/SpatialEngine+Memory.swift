import Activations
import Architecture
import KernelLoops
import LinearAlgebra

// What a kernel of points with positions takes beside its results. Bytes are worked out in floating point, which does not overflow.
extension SpatialEngine {
    /// Bytes of the statistics of some points, or of a tile's where that is all that is held, and of what each thread works in.
    func workingBytes<Element: KernelScalar>(points: Int, threads: Int, as _: Element.Type) -> Int {
        let size = MemoryLayout<Element>.stride
        // A thread has a pair of points at the least.
        let pairs = points.multipliedClamped(by: points.addingClamped(1)) / 2
        let threads = min(threads, max(pairs, 1))
        let all = statsBytes(points: points, as: Element.self)
        let held = all <= SpatialKernel.heldBytes ? Double(all) : Double(statsBytes(points: min(points, 64), as: Element.self)) * Double(threads)
        let each = pairPlan.passBytes(planes: 2, elementBytes: size) + ownPlan.passBytes(planes: 1, elementBytes: size) + builderBytes
        return Int(min(held + Double(threads) * each, 0x1p62))
    }

    /// Bytes of the statistics of some points.
    func statsBytes<Element: KernelScalar>(points: Int, as _: Element.Type) -> Int {
        let size = Double(MemoryLayout<Element>.stride)
        var bytes = PositionGrid(program.spatial).paddedPositions * Double(channels) * size
        for value in needs.variances {
            let grid = PositionGrid(program.values[value].spatial)
            bytes += Double(grid.positions) * 8 + grid.paddedPositions * 4 * size
        }
        for (index, instruction) in program.instructions.enumerated() {
            let grid = PositionGrid(program.values[index + 1].spatial)
            switch instruction.operation {
            case .activation(let step) where step.abRelu == nil: bytes += Double(grid.positions) * Double(24 + step.dual.pointBytes)
            case .window(let geometry):
                if let table = windows[index] { bytes += Double(table.output.grid.rows * table.input.grid.stride) * size }
                if needs.forms[index + 1] == .gap { bytes += grid.paddedPositions * size * geometry.axes.reduce(1) { $0 * Double($1.window) } }
            case .layerNorm: bytes += grid.paddedPositions * 4 * size
            case .attention where instruction.operation.weighsPositions:
                let positions = Double(program.values[instruction.inputs[0]].positions)
                bytes += positions * positions * size
            case .aggregate:
                let positions = Double(program.values[instruction.inputs[0]].positions)
                bytes += positions * positions * Double(SparseRows.entryBytes)
            default: break
            }
        }
        for (value, count) in needs.features.enumerated() { bytes += 2 * Double(count ?? 0) * Double(program.values[value].positions) * size }
        return Int(min(bytes * Double(points), 0x1p62))
    }

    /// Bytes that a thread works in for the statistics of a point, beside its pass.
    private var builderBytes: Double {
        let mapped = inputMaps.reduce(0.0) { max($0, Double($1.input) + Double($1.count)) } * Double(channels) * 8
        let weighed = program.instructions.lazy.filter(\.operation.weighsPositions).map { Double(program.values[$0.inputs[0]].positions) }.max() ?? 0
        return mapped + Double(PointStatsBuilder<Double>.extendedElements(windows)) * 8 + weighed * weighed * 24
    }
}

extension PositionGrid {
    /// Elements of a plane of all positions.
    var paddedPositions: Double { Double(rows) * Double(stride) }
}

extension SpatialPlan {
    /// Bytes that a pass with as many planes of each value takes: the slots, and room to work in.
    func passBytes(planes: Int, elementBytes: Int) -> Double {
        let (planes, size) = (Double(planes), Double(elementBytes))
        let slots = Double(slabElements) * Double(slabs.isEmpty ? 0 : slabSlots.slotCount) + Double(restElements) * Double(restSlots.slotCount)
        var bytes = planes * size * slots
        // Buffers of one name grow to the largest that is asked for.
        var (windowed, aligned, joined, matrices, tapRows) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for table in slabs.first.map({ $0.windows.values }) ?? [] { windowed = max(windowed, table.runBytes(elementBytes: elementBytes)) }
        for table in rest.windows.values {
            windowed = max(windowed, table.runBytes(elementBytes: elementBytes))
            tapRows += Double(table.rows.count) * 4
        }
        for (index, instruction) in program.instructions.enumerated() where pairings[index + 1] > .none {
            let inputs = instruction.inputs.map { PositionGrid(program.values[$0].spatial) }
            aligned = max(aligned, inputs.reduce(0) { max($0, $1.paddedPositions) }, PositionGrid(program.values[index + 1].spatial).paddedPositions)
            switch instruction.operation {
            case .sum, .product, .concatenateChannels, .concatenate: joined = max(joined, inputs.reduce(0) { $0 + $1.paddedPositions })
            default: matrices = max(matrices, matrixBytes(instruction, output: index + 1, planes: planes, size: size))
            }
        }
        bytes += windowed + tapRows + (2 * aligned + joined) * planes * size + matrices
        return bytes
    }

    /// Bytes of the dense matrices of pairs of positions that an operation makes.
    private func matrixBytes(_ instruction: KernelProgram.Instruction, output: Int, planes: Double, size: Double) -> Double {
        let (before, after) = (Double(program.values[instruction.inputs[0]].positions), Double(program.values[output].positions))
        switch instruction.operation {
        case .map(let map) where map.isSelection: return 0
        case .map where pairings[output] != .full: return planes * before * before * size
        // The pairs, and those of which one or both sides are combined.
        case .map, .aggregate: return (before * before + after * before + after * after) * size
        case .attention(let layer, _, _):
            let embeddings = layer.positionalEmbedding == .none ? 0 : before * before * 8
            return planes * 4 * before * before * size + embeddings
        default: return 0
        }
    }
}

extension WindowTable {
    /// Bytes that the sums over windows work in.
    func runBytes(elementBytes: Int) -> Double {
        let size = Double(elementBytes)
        let extended = Double(extendedRows) * Double(extendedStride) + 16
        return (2 * extended + 2 * Double(input.grid.stride) + Double(extendedStride)) * size + 16 * Double(rowTaps)
    }
}
