extension Expression {
    /// Values and derivatives at many places, one step of the expression after the other over all of them: the same as `evaluate` at each.
    package func evaluate(_ x: [Double], _ values: inout [Double], _ slopes: inout [Double]) {
        let count = x.count
        let depth = maximumStack
        unsafe withUnsafeTemporaryAllocation(of: (Double, Double).self, capacity: depth * count) { stack in
            var top = -1
            for step in steps {
                switch step {
                case .number(let value):
                    top += 1
                    for k in 0..<count { unsafe stack[top * count + k] = (value, 0) }
                case .variable:
                    top += 1
                    for k in 0..<count { unsafe stack[top * count + k] = (x[k], 1) }
                case .negate:
                    for k in (top * count)..<((top + 1) * count) { unsafe stack[k] = (-stack[k].0, -stack[k].1) }
                case .function(let function) where function.arguments == 1:
                    for k in (top * count)..<((top + 1) * count) { unsafe stack[k] = Self.apply(function, stack[k]) }
                default:
                    top -= 1
                    for k in (top * count)..<((top + 1) * count) { unsafe stack[k] = Self.combine(step, stack[k], stack[k + count]) }
                }
            }
            for k in 0..<count { (values[k], slopes[k]) = unsafe stack[k] }
        }
    }

    /// How many numbers wait at most.
    private var maximumStack: Int {
        var (now, most) = (0, 0)
        for step in steps {
            switch step {
            case .number, .variable: now += 1
            case .negate: break
            case .function(let function): now -= function.arguments - 1
            default: now -= 1
            }
            most = max(most, now)
        }
        return max(most, 1)
    }
}

extension Activation {
    /// Values and derivatives at many places.
    package func evaluate(_ x: [Double], _ values: inout [Double], _ slopes: inout [Double]) {
        if case .elementwise(let expression) = self { return expression.evaluate(x, &values, &slopes) }
        for k in x.indices { (values[k], slopes[k]) = evaluate(x[k]) }
    }
}
