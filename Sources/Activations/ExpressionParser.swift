import Glibc

/// Reads an expression by recursive descent. Powers bind tighter than a sign before them and to the right: −x^2 = −(x^2), 2^3^2 = 2^9.
package struct ExpressionParser {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    private var signs = 0
    private var steps: [Expression.Step] = []

    package init(_ text: String) { bytes = Array(text.utf8) }

    package mutating func parse() throws(ExpressionError) -> [Expression.Step] {
        guard bytes.count <= Expression.maximumLength else {
            throw ExpressionError(column: Expression.maximumLength + 1, detail: "at most \(Expression.maximumLength) characters expected")
        }
        try sum()
        skipSpaces()
        guard position == bytes.count else { throw fault("an operator or the end expected") }
        return steps
    }

    private func fault(_ detail: String) -> ExpressionError {
        let came = position < bytes.count ? "\"\(String(decoding: bytes[position...].prefix(8), as: UTF8.self))\" came" : "the end came"
        return ExpressionError(column: position + 1, detail: "\(detail); \(came)")
    }

    private mutating func skipSpaces() {
        while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09 { position += 1 }
    }

    private mutating func take(_ character: Character) -> Bool {
        skipSpaces()
        guard position < bytes.count, bytes[position] == character.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func sum() throws(ExpressionError) {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Expression.maximumDepth else { throw fault("at most \(Expression.maximumDepth) nested parentheses expected") }
        try product()
        while true {
            if take("+") {
                try product()
                steps.append(.add)
            } else if take("-") {
                try product()
                steps.append(.subtract)
            } else {
                return
            }
        }
    }

    private mutating func product() throws(ExpressionError) {
        try signed()
        while true {
            if take("*") {
                try signed()
                steps.append(.multiply)
            } else if take("/") {
                try signed()
                steps.append(.divide)
            } else {
                return
            }
        }
    }

    private mutating func signed() throws(ExpressionError) {
        signs += 1
        defer { signs -= 1 }
        guard signs <= 2 * Expression.maximumDepth else { throw fault("fewer signs and powers expected") }
        if take("-") {
            try signed()
            steps.append(.negate)
        } else if take("+") {
            try signed()
        } else {
            try power()
        }
    }

    private mutating func power() throws(ExpressionError) {
        try primary()
        if take("^") {
            try signed()
            steps.append(.power)
        }
    }

    private mutating func primary() throws(ExpressionError) {
        skipSpaces()
        guard position < bytes.count else { throw fault("a number, x, a function or \"(\" expected") }
        if take("(") {
            try sum()
            guard take(")") else { throw fault("\")\" expected") }
            return
        }
        let first = bytes[position]
        if (0x30...0x39).contains(first) || first == 0x2e {
            steps.append(.number(try number()))
            return
        }
        try name()
    }

    private mutating func number() throws(ExpressionError) -> Double {
        let start = position
        func isDigit(_ place: Int) -> Bool { place < bytes.count && (0x30...0x39).contains(bytes[place]) }
        while isDigit(position) || (position < bytes.count && bytes[position] == 0x2e) { position += 1 }
        if position < bytes.count, bytes[position] == 0x65 || bytes[position] == 0x45 {
            var after = position + 1
            if after < bytes.count, bytes[after] == 0x2b || bytes[after] == 0x2d { after += 1 }
            if isDigit(after) {
                position = after
                while isDigit(position) { position += 1 }
            }
        }
        guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)), value.isFinite else {
            position = start
            throw fault("a finite number expected")
        }
        return value
    }

    private mutating func name() throws(ExpressionError) {
        let start = position
        while position < bytes.count, (0x61...0x7a).contains(bytes[position] | 0x20) || (0x30...0x39).contains(bytes[position]) { position += 1 }
        let name = String(decoding: bytes[start..<position], as: UTF8.self)
        switch name {
        case "x": steps.append(.variable)
        case "pi": steps.append(.number(.pi))
        case "e": steps.append(.number(M_E))
        default:
            guard let function = Expression.Function(rawValue: name) else {
                position = start
                let names = Expression.Function.allCases.map(\.rawValue).joined(separator: ", ")
                throw fault("a number, x, pi, e, \"(\" or one of \(names) expected")
            }
            guard take("(") else { throw fault("\"(\" expected after \(name)") }
            try sum()
            if function.arguments == 2 {
                guard take(",") else { throw fault("\",\" and a second argument of \(name) expected") }
                try sum()
            }
            guard take(")") else { throw fault("\")\" expected") }
            steps.append(.function(function))
        }
    }
}
