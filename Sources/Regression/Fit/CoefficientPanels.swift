import KernelLoops
package import LinearAlgebra

/// The coefficients of a fit, laid out for products with any number of kernel rows: k(x*, X) α.
///
/// A model has few outputs, and is often asked for few rows. A library's matrix product would have to be given blocks of one height,
/// filled up with zeros, for a row's bits not to depend on what stands beside it; `innerProducts` sees to that by itself.
package struct CoefficientPanels: Sendable {
    /// Distinct training points, and outputs.
    private let points, outputs: Int
    /// The columns of α in panels, the last filled up with zeros.
    private let panels: Storage<Double>

    /// - Parameter coefficients: α [m, k].
    package init(_ coefficients: Matrix<Double>) {
        (points, outputs) = (coefficients.rows, coefficients.columns)
        let width = Double.productPanel
        panels = Storage(count: points * outputs.roundedUp(to: width))
        unsafe panels.base.initialize(repeating: 0, count: panels.count)
        for point in 0..<points {
            for output in 0..<outputs {
                let panel = unsafe panels.base + output / width * points * width
                unsafe panel[point * width + output % width] = coefficients.base[point * outputs + output]
            }
        }
    }

    /// K α [t, k] for K [t, m]: 2 t m k operations, k rounded up to a panel.
    package func product(_ kernel: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        precondition(kernel.columns == points)
        let result = Matrix<Double>(uninitializedRows: kernel.rows, columns: outputs)
        let stride = outputs.roundedUp(to: Double.productPanel)
        // So that the sums of a tile stay in the second-level cache.
        let side = max(blockRows, 8_192 / stride / blockRows * blockRows)
        let tiles = TileGrid(rows: kernel.rows, columns: 1, side: side, upperOnly: false).tiles
        try executor.forEach(tiles.count) { index in
            let rows = tiles[index].rows
            let whole = rows.count / blockRows * blockRows
            let sums = Storage<Double>(count: rows.count.roundedUp(to: blockRows) * stride)
            let input = unsafe kernel.base + rows.lowerBound * points
            unsafe multiply(input, count: whole, into: sums.base, stride)
            if whole < rows.count {
                // The block reads all its rows; what comes out for those beyond the last is not looked at.
                let rest = Matrix<Double>(zeroRows: blockRows, columns: points)
                unsafe rest.base.update(from: input + whole * points, count: (rows.count - whole) * points)
                unsafe multiply(rest.base, count: blockRows, into: sums.base + whole * stride, stride)
            }
            for row in 0..<rows.count {
                unsafe (result.base + (rows.lowerBound + row) * outputs).update(from: sums.base + row * stride, count: outputs)
            }
        }
        return result
    }

    private func multiply(_ rows: UnsafePointer<Double>, count: Int, into sums: UnsafeMutablePointer<Double>, _ stride: Int) {
        guard count > 0, points > 0 else { return }
        unsafe Double.innerProducts(
            sums, stride: stride, rows, count: count, panels.base, panelCount: stride / Double.productPanel, points, upperOnly: false)
    }
}
