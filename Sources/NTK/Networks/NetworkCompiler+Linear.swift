import LinearAlgebra

// Layers with weights.
extension NetworkCompiler {
    mutating func dense(_ affine: Affine, _ input: Int, at place: Place) throws(ArchitectureError) -> Int {
        let value = program.values[input]
        let name = place.parameter("weight")
        let width = try width(affine, given?[name]?.first, at: place)
        return try linear(
            affine, input, NetworkProgram.Value(spatial: value.spatial, channels: width), taps: nil, window: 1, isLocal: false,
            weight: ([width, value.channels], .asGiven), bias: [width], at: place)
    }

    mutating func convolution(_ layer: Convolution, _ input: Int, at place: Place) throws(ArchitectureError) -> Int {
        let value = program.values[input]
        try requireSpatial(input, layer.variant.rawValue, at: place)
        guard value.positions <= Int(Int32.max) else {
            throw ArchitectureError(path: place.pointer, detail: "an input of fewer than 2^31 positions expected; it has extents \(value.spatial)")
        }
        let geometry = try located(place) { () throws(ArchitectureError) in
            try WindowGeometry(
                input: value.spatial, window: layer.filterShape, strides: layer.strides, padding: layer.padding,
                isTransposed: layer.variant == .transpose, name: "filter_shape")
        }
        let came = given?[place.parameter("weight")]
        let axis =
            switch layer.variant {
            case .shared: 0
            case .transpose: 1
            case .local: value.spatial.count
            }
        let width = try width(layer.affine, came.flatMap { axis < $0.count ? $0[axis] : nil }, at: place)
        let output = NetworkProgram.Value(spatial: geometry.output, channels: width)
        let taps = geometry.size
        guard output.positions.multipliedClamped(by: taps) <= Self.maximumTable else {
            throw ArchitectureError(
                path: place.pointer, detail: "at most \(Self.maximumTable) positions · taps expected; here are \(output.positions) · \(taps)")
        }
        try meter.take(output.positions * taps * MemoryLayout<Int32>.stride, at: place.pointer)
        try meter.step(output.positions * taps, at: place.pointer)
        let (shape, layout, bias): ([Int], NetworkParameter.Layout, [Int])
        switch layer.variant {
        case .shared:
            shape = [width, value.channels] + layer.filterShape
            layout = .filter(lead: 1, out: width, in: value.channels, taps: taps)
            bias = [width]
        case .transpose:
            shape = [value.channels, width] + layer.filterShape
            layout = .transposedFilter(out: width, in: value.channels, taps: taps)
            bias = [width]
        case .local:
            shape = geometry.output + [width, value.channels] + layer.filterShape
            layout = .filter(lead: output.positions, out: width, in: value.channels, taps: taps)
            bias = geometry.output + [width]
        }
        return try linear(
            layer.affine, input, output, taps: geometry.taps, window: taps, isLocal: layer.variant == .local, weight: (shape, layout), bias: bias,
            at: place)
    }

    private mutating func linear(
        _ affine: Affine, _ input: Int, _ output: NetworkProgram.Value, taps: [Int32]?, window: Int, isLocal: Bool,
        weight: (shape: [Int], layout: NetworkParameter.Layout), bias: [Int], at place: Place
    ) throws(ArchitectureError) -> Int {
        let value = program.values[input]
        let count = weight.shape.reduce(1) { $0.multipliedClamped(by: $1) }
        guard count <= 1 << 40 else {
            throw ArchitectureError(path: place.pointer, detail: "at most 2^40 weights a layer expected; shape \(weight.shape) has more")
        }
        let isScaled = affine.parameterization == .ntk
        let scale = affine.weightStd / (Double(window) * Double(value.channels)).squareRoot()
        guard scale.isFinite, (affine.biasStd ?? 0).isFinite else {
            throw ArchitectureError(path: place.pointer, detail: "w_std and b_std must be finite numbers")
        }
        let weightIndex = parameter(
            place.parameter("weight"), weight.shape, std: isScaled ? 1 : scale, isTrainable: affine.isTrainable, layout: weight.layout)
        var biasIndex: Int?
        let biasName = place.parameter("bias")
        if let given {
            if given[biasName] != nil {
                if isScaled && affine.biasStd == nil {
                    note(biasName, .biasWithoutScale)
                } else {
                    biasIndex = parameter(biasName, bias, std: affine.biasStd ?? 0, isTrainable: affine.isTrainable)
                }
            }
        } else if let std = affine.biasStd {
            biasIndex = parameter(biasName, bias, std: isScaled ? 1 : std, isTrainable: affine.isTrainable)
        }
        let step = NetworkProgram.LinearStep(
            taps: taps, window: window, inputChannels: value.channels, outputChannels: output.channels, inputPositions: value.positions,
            outputPositions: output.positions, weight: weightIndex, bias: biasIndex, weightScale: isScaled ? scale : 1,
            biasScale: isScaled ? affine.biasStd ?? 0 : 1, isLocal: isLocal)
        return try append(.linear(step), [input], output, at: place)
    }

    /// The outputs of a layer: what it states, or what its weights have.
    private func width(_ affine: Affine, _ came: Int?, at place: Place) throws(ArchitectureError) -> Int {
        let width = affine.width ?? came ?? (given == nil ? nil : 1)
        guard let width, width > 0, width <= 1 << 32 else {
            throw ArchitectureError(
                path: place.pointer + "/width", detail: "the layer's number of outputs expected, as there are no weights that tell it")
        }
        return width
    }

    func requireSpatial(_ input: Int, _ name: String, at place: Place) throws(ArchitectureError) {
        guard !program.values[input].spatial.isEmpty else {
            throw ArchitectureError(
                path: place.pointer,
                detail: "an input with spatial axes expected before \(name), such as [n, height, width, channels]; here a point is a vector")
        }
    }
}

extension WindowGeometry {
    /// For each output position and each tap the input position, -1 for none, all in row-major order.
    var taps: [Int32] {
        // Axis by axis: an entry of the axes so far, and one of the next.
        var table: [Int32] = [0]
        var (positions, window) = (1, 1)
        for axis in axes {
            let own = (0..<axis.output).flatMap { position in (0..<axis.window).map { Int32(axis.source(position, $0) ?? -1) } }
            var next: [Int32] = []
            next.reserveCapacity(table.count * own.count)
            for outer in 0..<positions {
                for inner in 0..<axis.output {
                    for tap in 0..<window {
                        let first = table[outer * window + tap]
                        for second in own[inner * axis.window..<(inner + 1) * axis.window] {
                            next.append(first < 0 || second < 0 ? -1 : first * Int32(axis.input) + second)
                        }
                    }
                }
            }
            table = next
            (positions, window) = (positions * axis.output, window * axis.window)
        }
        return table
    }
}
