import Architecture
import LinearAlgebra

/// Loops over the positions of one point, [positions, channels] row-major, and their transposes for the backward pass.
enum Positions {
    /// The patch of each output position [outputPositions, window · channels]; zeros beyond the edge.
    static func gather<Element: Scalar>(
        _ step: LayerProgram.LinearStep, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>
    ) {
        guard let taps = step.taps else { return unsafe target.update(from: source, count: step.inputPositions * step.inputChannels) }
        let channels = step.inputChannels
        unsafe taps.withUnsafeBufferPointer { taps in
            for place in 0..<taps.count {
                let position = unsafe Int(taps[place])
                let piece = unsafe target + place * channels
                if position >= 0 {
                    unsafe piece.update(from: source + position * channels, count: channels)
                } else {
                    unsafe piece.update(repeating: 0, count: channels)
                }
            }
        }
    }

    /// Adds each patch to the positions that it was gathered from.
    static func scatter<Element: Scalar>(
        _ step: LayerProgram.LinearStep, _ source: UnsafePointer<Element>, addingTo target: UnsafeMutablePointer<Element>
    ) {
        guard let taps = step.taps else { return }
        let channels = step.inputChannels
        unsafe taps.withUnsafeBufferPointer { taps in
            for place in 0..<taps.count {
                let position = unsafe Int(taps[place])
                guard position >= 0 else { continue }
                let (from, to) = unsafe (source + place * channels, target + position * channels)
                for channel in 0..<channels { unsafe to[channel] += from[channel] }
            }
        }
    }

    static func apply<Element: Scalar>(
        _ map: SpatialMap, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ channels: Int
    ) {
        for row in 0..<map.count {
            let to = unsafe target + row * channels
            unsafe to.update(repeating: 0, count: channels)
            map.forEachEntry(of: row) { position, weight in
                let weight = Element(weight)
                let from = unsafe source + position * channels
                for channel in 0..<channels { unsafe to[channel] += weight * from[channel] }
            }
        }
    }

    /// The transposed map; `target` holds zeros.
    static func applyTransposed<Element: Scalar>(
        _ map: SpatialMap, _ source: UnsafePointer<Element>, addingTo target: UnsafeMutablePointer<Element>, _ channels: Int
    ) {
        for row in 0..<map.count {
            let from = unsafe source + row * channels
            map.forEachEntry(of: row) { position, weight in
                let weight = Element(weight)
                let to = unsafe target + position * channels
                for channel in 0..<channels { unsafe to[channel] += weight * from[channel] }
            }
        }
    }

    /// [rows, columns] to [columns, rows].
    static func transpose<Element: Scalar>(
        _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ rows: Int, _ columns: Int
    ) {
        let block = 16
        for top in stride(from: 0, to: rows, by: block) {
            for left in stride(from: 0, to: columns, by: block) {
                for row in top..<min(top + block, rows) {
                    for column in left..<min(left + block, columns) {
                        unsafe target[column * rows + row] = source[row * columns + column]
                    }
                }
            }
        }
    }

    /// Aᵀ x (or A x) over each group of positions, with A [nodes, nodes].
    static func aggregate<Element: Scalar>(
        _ groups: [[Int]], _ pattern: UnsafePointer<Element>, isTransposed: Bool, _ source: UnsafePointer<Element>,
        _ target: UnsafeMutablePointer<Element>, _ channels: Int
    ) {
        for group in groups {
            let nodes = group.count
            for (row, position) in group.enumerated() {
                let to = unsafe target + position * channels
                unsafe to.update(repeating: 0, count: channels)
                for (column, other) in group.enumerated() {
                    let weight = unsafe isTransposed ? pattern[column * nodes + row] : pattern[row * nodes + column]
                    if weight == 0 { continue }
                    let from = unsafe source + other * channels
                    for channel in 0..<channels { unsafe to[channel] += weight * from[channel] }
                }
            }
        }
    }
}
