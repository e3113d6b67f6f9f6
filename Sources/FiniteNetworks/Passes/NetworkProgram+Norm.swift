extension NetworkProgram {
    /// Σ θ² over all numbers of the parameters with these names.
    public func sumOfSquares(of names: [String]) -> Double {
        var sum = 0.0
        for parameter in parameters where names.contains(parameter.name) {
            guard let buffer = values[parameter.wire].constant else { continue }
            defer { withExtendedLifetime(buffer) {} }
            let cells = buffer.cells(F.self, parameter.count)
            for index in 0..<cells.count { sum += Double(cells[index]) * Double(cells[index]) }
        }
        return sum
    }
}
