/// A function of two integers or booleans.
enum IntegerFunction: Sendable {
    case add, subtract, multiply, divide, power, maximum, minimum, remainder, modulo
    case and, or, xor
    case equal, less, lessOrEqual, greater, greaterOrEqual

    @inline(__always)
    func value(_ a: Int64, _ b: Int64) -> Int64 {
        switch self {
        case .add: return a &+ b
        case .subtract: return a &- b
        case .multiply: return a &* b
        // What divides by zero has no value; any is as good as another, and none traps.
        case .divide: return b == 0 ? 0 : a.dividedReportingOverflow(by: b).partialValue
        case .remainder: return b == 0 ? 0 : a.remainderReportingOverflow(dividingBy: b).partialValue
        case .modulo:
            guard b != 0 else { return 0 }
            let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
            return remainder != 0 && (remainder < 0) != (b < 0) ? remainder &+ b : remainder
        case .power:
            var (result, base, exponent): (Int64, Int64, Int64) = (1, a, max(b, 0))
            while exponent > 0 {
                if exponent & 1 == 1 { result = result &* base }
                base = base &* base
                exponent >>= 1
            }
            return result
        case .maximum: return max(a, b)
        case .minimum: return min(a, b)
        case .and: return a & b
        case .or: return a | b
        case .xor: return a ^ b
        case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual: return holds(a, b) ? 1 : 0
        }
    }

    /// A comparison of integers or real numbers.
    @inline(__always)
    func holds<Number: Comparable>(_ a: Number, _ b: Number) -> Bool {
        switch self {
        case .less: a < b
        case .lessOrEqual: a <= b
        case .greater: a > b
        case .greaterOrEqual: a >= b
        default: a == b
        }
    }
}

/// y = f(a, b) of integers or booleans, repeated to one shape.
struct IntegerBinary: ConstantOperation {
    let function: IntegerFunction
    let count: Int
    let loop: StridedLoop

    var operations: Double { Double(count) }

    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        let (aStride, bStride, _) = loop.runStrides
        for sample in 0..<tile.samples {
            let (a, b, y) = (tile.integers(0, sample), tile.integers(1, sample), tile.integerOutput(sample))
            loop.forEachRun { place, i, j, _ in
                for t in 0..<loop.run { y[place + t] = function.value(a[i + t * aStride], b[j + t * bStride]) }
            }
        }
    }
}

/// y = a ⋛ b of real numbers, repeated to one shape.
struct RealComparison: ConstantOperation {
    let function: IntegerFunction
    let count: Int
    let loop: StridedLoop

    var operations: Double { Double(count) }

    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        let (aStride, bStride, _) = loop.runStrides
        for sample in 0..<tile.samples {
            let (a, b, y) = (tile.input(0, sample), tile.input(1, sample), tile.integerOutput(sample))
            loop.forEachRun { place, i, j, _ in
                for t in 0..<loop.run { y[place + t] = function.holds(a[i + t * aStride], b[j + t * bStride]) ? 1 : 0 }
            }
        }
    }
}

/// A function of single integers.
struct IntegerUnary: ConstantOperation {
    enum Function: String, Sendable {
        case negate = "Neg"
        case abs = "Abs"
        case sign = "Sign"
        case not = "Not"
        case relu = "Relu"
        case complement = "BitwiseNot"
    }

    let function: Function
    let count: Int

    var operations: Double { Double(count) }

    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            let (x, y) = (tile.integers(0, sample), tile.integerOutput(sample))
            for index in 0..<count {
                y[index] =
                    switch function {
                    case .negate: 0 &- x[index]
                    case .abs: x[index] < 0 ? 0 &- x[index] : x[index]
                    case .sign: x[index].signum()
                    case .not: x[index] == 0 ? 1 : 0
                    case .relu: max(x[index], 0)
                    case .complement: ~x[index]
                    }
            }
        }
    }
}

/// Whether numbers are NaN, or infinite.
struct RealTest: ConstantOperation {
    let isInfinite: Bool
    let count: Int

    var operations: Double { Double(count) }

    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            let (x, y) = (tile.input(0, sample), tile.integerOutput(sample))
            for index in 0..<count { y[index] = (isInfinite ? x[index].isInfinite : x[index].isNaN) ? 1 : 0 }
        }
    }
}

extension GraphBuilder {
    /// y = f(a, b) of integers or booleans.
    mutating func integerBinary(_ function: IntegerFunction, _ a: Wire, _ b: Wire, _ kind: ElementKind? = nil) throws(GraphError) -> Wire {
        guard let shape = Broadcasting.shape([shape(a), shape(b)]) else {
            throw invalid("shapes \(shape(a)) and \(shape(b)) are not made one by repetition")
        }
        guard self.kind(a) != .real, self.kind(b) != .real else { throw invalid("integers together with real numbers") }
        let loop = StridedLoop(shape: shape, Broadcasting.strides(self.shape(a), in: shape), Broadcasting.strides(self.shape(b), in: shape))
        let type = TensorType(kind ?? self.kind(a), shape)
        return try add(IntegerBinary(function: function, count: type.count, loop: loop), [a, b], type)
    }
}

/// Comparisons and logic; their results have no derivatives.
struct ComparisonRule: OperatorRule {
    private static let functions: [String: IntegerFunction] = [
        "Equal": .equal, "Less": .less, "LessOrEqual": .lessOrEqual, "Greater": .greater, "GreaterOrEqual": .greaterOrEqual, "And": .and,
        "Or": .or, "Xor": .xor,
    ]

    let operators = functions.keys.sorted()

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let (a, b) = (try node.input(0), try node.input(1))
        guard let function = Self.functions[node.operation] else { throw node.unsupported("this comparison") }
        guard graph.kind(a) == .real else { return [try graph.integerBinary(function, a, b, .boolean)] }
        guard graph.kind(b) == .real, let shape = Broadcasting.shape([graph.shape(a), graph.shape(b)]) else {
            throw node.invalid("\(graph.type(a)) and \(graph.type(b)) cannot be compared")
        }
        let loop = StridedLoop(
            shape: shape, Broadcasting.strides(graph.shape(a), in: shape), Broadcasting.strides(graph.shape(b), in: shape))
        let type = TensorType(.boolean, shape)
        return [try graph.add(RealComparison(function: function, count: type.count, loop: loop), [a, b], type)]
    }
}

struct NotRule: OperatorRule {
    let operators = ["Not", "IsNaN", "IsInf"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let type = TensorType(.boolean, graph.shape(input))
        guard node.operation == "Not" else {
            guard graph.kind(input) == .real else { throw node.invalid("an input of integers") }
            return [try graph.add(RealTest(isInfinite: node.operation == "IsInf", count: type.count), [input], type)]
        }
        guard graph.kind(input) != .real else { throw node.invalid("an input of real numbers") }
        return [try graph.add(IntegerUnary(function: .not, count: type.count), [input], type)]
    }
}
