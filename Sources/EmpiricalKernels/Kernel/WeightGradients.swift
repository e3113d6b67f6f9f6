import Architecture
import LinearAlgebra

/// The gradients of a layer's weights for each point and output, formed some rows of the weights at a time, and their Gram matrix.
struct WeightGradients<Element: Scalar>: Sendable {
    let contraction: LinearContraction<Element>

    /// - Parameter gradientBytes: what the gradients that exist at one time may take.
    func add(gradientBytes: Int, on executor: any TileExecutor) throws {
        let (step, outputs) = (contraction.step, contraction.outputs)
        let (first, second) = (contraction.first, contraction.second)
        let isSymmetric = (contraction.weight ?? contraction.bias)?.isSymmetric ?? false
        let points = first.count + (isSymmetric ? 0 : second.count)
        if let weight = contraction.weight {
            let rowBytes = points * outputs * step.patch * MemoryLayout<Element>.stride
            let channelsEach = max(1, min(step.outputChannels, gradientBytes / max(rowBytes, 1)))
            for start in stride(from: 0, to: step.outputChannels, by: channelsEach) {
                let channels = start..<min(start + channelsEach, step.outputChannels)
                let left = try gradients(first, channels, on: executor)
                let right = isSymmetric ? left : try gradients(second, channels, on: executor)
                let factor = Element(step.weightScale * step.weightScale)
                try weight.addGram(left, right, outputs: outputs, width: channels.count * step.patch, alpha: factor, on: executor)
            }
        }
        if let bias = contraction.bias {
            let left = try biasGradients(first, on: executor)
            let right = isSymmetric ? left : try biasGradients(second, on: executor)
            try bias.addGram(left, right, outputs: outputs, width: step.outputChannels, alpha: Element(step.biasScale * step.biasScale), on: executor)
        }
    }

    /// δᵀ U for each point and output: [points, outputs, channels, patch].
    private func gradients(
        _ side: LinearContraction<Element>.Side, _ channels: Range<Int>, on executor: any TileExecutor
    ) throws -> Storage<Element> {
        let (step, outputs) = (contraction.step, contraction.outputs)
        let (positions, patch, width) = (step.outputPositions, step.patch, step.outputChannels)
        let rows = channels.count
        let result = Storage<Element>(count: side.count * outputs * rows * patch)
        try executor.forEach(side.count) { [contraction] point in
            let input = unsafe side.input.base + point * step.inputPositions * step.inputChannels
            let patches = step.taps == nil ? nil : Storage<Element>(count: positions * patch)
            if let patches { unsafe Positions.gather(step, input, patches.base) }
            // All outputs in one product: the derivatives as [outputs · channels, positions].
            let derivatives = Storage<Element>(count: outputs * rows * positions)
            for output in 0..<outputs {
                let source = unsafe contraction.cotangent(side, point) + output * positions * width + channels.lowerBound
                let target = unsafe derivatives.base + output * rows * positions
                for position in 0..<positions {
                    for channel in 0..<rows { unsafe target[channel * positions + position] = source[position * width + channel] }
                }
            }
            unsafe Element.gemm(
                outputs * rows, patch, positions, alpha: 1, derivatives.base, positions, patches?.base ?? input, patch, beta: 0,
                result.base + point * outputs * rows * patch, patch)
            _ = patches
        }
        return result
    }

    /// Σ_d δ_d: [points, outputs, channels].
    private func biasGradients(_ side: LinearContraction<Element>.Side, on executor: any TileExecutor) throws -> Storage<Element> {
        let (positions, width, outputs) = (contraction.step.outputPositions, contraction.step.outputChannels, contraction.outputs)
        let result = Storage<Element>(zeros: side.count * outputs * width)
        try executor.forEach(side.count) { [contraction] point in
            for output in 0..<outputs {
                let target = unsafe result.base + (point * outputs + output) * width
                let source = unsafe contraction.cotangent(side, point) + output * positions * width
                for position in 0..<positions {
                    for channel in 0..<width { unsafe target[channel] += source[position * width + channel] }
                }
            }
        }
        return result
    }
}
