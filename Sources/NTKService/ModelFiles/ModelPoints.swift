internal import FiniteNetworks
internal import LinearAlgebra
internal import ONNX
internal import TensorFormats

/// Points for the inputs of a network from a file.
struct ModelPoints: Sendable {
    /// What the request calls them.
    let field: String
    let inputs: [String: NetworkInput]
    let count: Int

    /// Extents of a point, by input.
    var shapes: [String: [Int]] { inputs.mapValues { Array($0.shape.dropFirst()) } }
    /// Numbers of a point.
    var numbers: Int { inputs.values.reduce(0) { $0 + $1.shape.dropFirst().reduce(1, *) } }
    /// Bytes beside what came: as they are, and in the precision and order of a program.
    var bytes: Int { count.multipliedClamped(by: numbers).multipliedClamped(by: 16) }

    init(field: String, inputs: [String: NetworkInput]) {
        self.field = field
        self.inputs = inputs
        count = inputs.values.first?.shape.first ?? 0
    }

    /// Some of the points.
    func rows(_ rows: [Int]) -> ModelPoints {
        ModelPoints(
            field: field,
            inputs: inputs.mapValues { input in
                let each = input.shape.dropFirst().reduce(1, *)
                func chosen<Number>(_ numbers: [Number]) -> [Number] { rows.flatMap { numbers[$0 * each..<($0 + 1) * each] } }
                let numbers: NetworkInput.Numbers =
                    switch input.numbers {
                    case .reals(let numbers): .reals(chosen(numbers))
                    case .integers(let numbers): .integers(chosen(numbers))
                    }
                return NetworkInput(shape: [rows.count] + input.shape.dropFirst(), numbers)
            })
    }

    /// The points as rows of numbers, to see which are equal. Integers are exact in them.
    var matrix: Matrix<Double> {
        let names = inputs.keys.sorted()
        let matrix = Matrix<Double>(uninitializedRows: count, columns: numbers)
        var column = 0
        for name in names {
            guard let input = inputs[name] else { continue }
            let each = input.shape.dropFirst().reduce(1, *)
            for row in 0..<count {
                let target = unsafe matrix.base + row * matrix.columns + column
                switch input.numbers {
                case .reals(let numbers): for index in 0..<each { unsafe target[index] = numbers[row * each + index] }
                case .integers(let numbers): for index in 0..<each { unsafe target[index] = Double(numbers[row * each + index]) }
                }
            }
            column += each
        }
        return matrix
    }
}

extension ObjectReader {
    /// Points for each input of a network from a file: an array where it has one, else an object of arrays by the inputs' names.
    mutating func modelPoints(_ field: String, _ network: GraphNetwork) throws(ProblemDetails) -> ModelPoints {
        let names = network.inputs.map { "\"\($0.name)\"" }.joined(separator: ", ")
        let value = try required(field, network.inputs.count == 1 ? "points" : "an object with an array of points for each of \(names)")
        return try Self.modelPoints(value, field, network, at: pointer(to: field))
    }

    mutating func optionalModelPoints(_ field: String, _ network: GraphNetwork) throws(ProblemDetails) -> ModelPoints? {
        guard let value = optional(field) else { return nil }
        return try Self.modelPoints(value, field, network, at: pointer(to: field))
    }

    private static func modelPoints(
        _ value: JSONValue, _ field: String, _ network: GraphNetwork, at pointer: String
    ) throws(ProblemDetails) -> ModelPoints {
        var arrays: [(name: String, value: JSONValue, pointer: String)] = []
        if case .object(let object) = value, !isArray(object, network) {
            try flatten(object, prefix: "", pointer, &arrays)
        } else {
            guard let only = network.inputs.first, network.inputs.count == 1 else {
                let names = network.inputs.map { "\"\($0.name)\"" }.joined(separator: ", ")
                throw .invalid(
                    pointer, "an object with an array of points for each of the network's inputs, \(names), expected; \(value.kindName) came")
            }
            arrays = [(only.name, value, pointer)]
        }
        var inputs: [String: NetworkInput] = [:]
        var count: Int?
        for (name, value, pointer) in arrays {
            guard let port = network.inputs.first(where: { $0.name.isSame(as: name) }) else {
                let names = network.inputs.map { "\"\($0.name)\"" }.joined(separator: ", ")
                throw .invalid(pointer, "points for inputs that the output depends on expected, \(names); \"\(name.prefix(80))\" came")
            }
            let input = try self.input(value, port, at: pointer)
            guard count == nil || count == input.shape[0] else {
                throw .invalid(pointer, "as many points in each input expected; \(count ?? 0) in another, \(input.shape[0]) here")
            }
            count = input.shape[0]
            guard inputs.updateValue(input, forKey: port.name) == nil else { throw .repeated("the input \(name.prefix(80))", at: pointer) }
        }
        for port in network.inputs where inputs[port.name] == nil {
            throw .invalid("\(pointer)/\(port.name.jsonPointerToken)", "points for input \"\(port.name)\" expected; there are none")
        }
        return ModelPoints(field: field, inputs: inputs)
    }

    /// Whether an object is one array, `{"shape", "data"}`, and not one of arrays for inputs of these names.
    private static func isArray(_ object: JSONObject, _ network: GraphNetwork) -> Bool {
        object.members.count == 2 && object["shape"] != nil && object["data"] != nil
            && !network.inputs.contains { $0.name.isSame(as: "shape") || $0.name.isSame(as: "data") }
    }

    /// Inputs by name; parts of names that have dots came as objects within objects.
    private static func flatten(
        _ object: JSONObject, prefix: String, _ pointer: String, _ arrays: inout [(name: String, value: JSONValue, pointer: String)]
    ) throws(ProblemDetails) {
        for (key, value) in object.members {
            let place = "\(pointer)/\(key.jsonPointerToken)"
            if case .null = value { continue }
            guard case .object(let nested) = value, nested["shape"] == nil || nested["data"] == nil else {
                arrays.append((prefix + key, value, place))
                continue
            }
            try flatten(nested, prefix: "\(prefix)\(key).", place, &arrays)
        }
    }

    private static func input(_ value: JSONValue, _ port: GraphNetwork.Port, at pointer: String) throws(ProblemDetails) -> NetworkInput {
        let value = port.type == .bool ? value.booleansAsNumbers : value
        let array: NumericArray
        do { array = try value.numericArray(at: pointer) } catch { throw ProblemDetails(error) }
        let expected = port.shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
        // Axes of extent 1 may be left out or added.
        guard let rows = array.shape.first, rows > 0, array.shape.allSatisfy({ $0 > 0 }) else {
            throw .invalid(pointer, "one point or more of shape [\(expected)] each expected; shape \(array.shape) came")
        }
        var shape = Array(array.shape.dropFirst())
        if shape.count != port.shape.count, !port.shape.contains(nil), shape.filter({ $0 != 1 }) == port.shape.compactMap({ $0 }).filter({ $0 != 1 })
        {
            shape = port.shape.compactMap { $0 }
        }
        guard shape.count == port.shape.count, zip(shape, port.shape).allSatisfy({ $1 == nil || $0 == $1 }) else {
            throw .invalid(pointer, "points of shape [\(expected)] for input \"\(port.name)\" expected, behind the sample axis; shape \(shape) came")
        }
        guard !array.hasNulls else { throw .invalid(pointer, "numbers expected in every place; null came") }
        guard !port.type.isReal else {
            guard array.elements.allSatisfy(\.isFinite) else { throw .invalid(pointer, "finite numbers expected in every place") }
            return NetworkInput(shape: [rows] + shape, .reals(Array(array.elements)))
        }
        let range = port.type.integers
        var integers: [Int64] = []
        integers.reserveCapacity(array.elements.count)
        for (index, number) in array.elements.enumerated() {
            // Beyond 2⁵³ float64, in which numbers of requests are kept, has not every integer.
            guard let integer = Int64(exactly: number), range.contains(integer) else {
                throw .invalid(
                    "\(pointer)\(Self.place(index, in: array.shape))",
                    "an integer from \(range.lowerBound) to \(range.upperBound) expected for input \"\(port.name)\" (\(port.type.name)); \(number) came"
                )
            }
            integers.append(integer)
        }
        return NetworkInput(shape: [rows] + shape, .integers(integers))
    }

    /// The pointer to an element from the array that it is in.
    private static func place(_ index: Int, in shape: [Int]) -> String {
        var (rest, places): (Int, [Int]) = (index, [])
        for extent in shape.reversed() {
            places.append(rest % max(extent, 1))
            rest /= max(extent, 1)
        }
        return places.reversed().map { "/\($0)" }.joined()
    }
}

extension ONNXElementType {
    /// The integers that a tensor of this type may have and that a request can carry without loss.
    fileprivate var integers: ClosedRange<Int64> {
        let exact: Int64 = 1 << 53 - 1
        return switch self {
        case .bool: 0...1
        case .int8: Int64(Int8.min)...Int64(Int8.max)
        case .uint8: 0...Int64(UInt8.max)
        case .int16: Int64(Int16.min)...Int64(Int16.max)
        case .uint16: 0...Int64(UInt16.max)
        case .int32: Int64(Int32.min)...Int64(Int32.max)
        case .uint32: 0...Int64(UInt32.max)
        case .uint64: 0...exact
        default: -exact...exact
        }
    }
}

extension JSONValue {
    /// Nests of booleans as nests of 0 and 1.
    fileprivate var booleansAsNumbers: JSONValue {
        guard case .array(let values) = self else { return self }
        var shape: [Int] = []
        var numbers: [Double] = []
        guard Self.collect(values, depth: 0, &shape, &numbers) else { return self }
        return .tensor(NumericArray(shape: shape, elements: NumericElements(numbers)))
    }

    private static func collect(_ values: [JSONValue], depth: Int, _ shape: inout [Int], _ numbers: inout [Double]) -> Bool {
        if shape.count == depth { shape.append(values.count) }
        guard shape[depth] == values.count else { return false }
        for value in values {
            switch value {
            case .bool(let bool):
                guard shape.count == depth + 1 else { return false }
                numbers.append(bool ? 1 : 0)
            case .array(let nested): guard collect(nested, depth: depth + 1, &shape, &numbers) else { return false }
            default: return false
            }
        }
        return true
    }
}
