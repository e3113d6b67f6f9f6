// Tensors, and what inputs and outputs are.
extension ModelReader {
    mutating func tensor(_ range: Range<Int>, owner: String) throws(ONNXError) -> ONNXTensor {
        try countItem()
        var reader = WireReader(bytes, range)
        var (name, typeCode) = ("", 0)
        var shape: [Int] = []
        var raw: Range<Int>?
        var (floats, doubles, integers): ([Float], [Double], [Int]) = ([], [], [])
        var isExternal = false
        while let field = try reader.field() {
            switch field.number {
            case 1:
                try count(field, isVarint: true)
                try field.append(to: &shape, bytes)
            case 2: typeCode = try field.integer()
            case 4:
                try count(field, isVarint: false)
                try field.append(to: &floats, bytes)
            case 5, 7, 11:
                try count(field, isVarint: true)
                try field.append(to: &integers, bytes)
            case 8: name = try field.string(bytes)
            case 9: raw = try field.range()
            case 10:
                try count(field, isVarint: false)
                try field.append(to: &doubles, bytes)
            case 13: isExternal = true
            case 14: isExternal = try field.integer() == 1
            default: break
            }
            guard shape.count <= limits.rank else { throw .tooLarge("tensor \"\(name)\" of more than \(limits.rank) axes") }
        }
        let title = "tensor \"\(name)\" of \(owner)"
        guard !isExternal else {
            throw .unsupported("\(title) is kept in another file; save the model as one file, with its data inside")
        }
        guard let type = ONNXElementType(rawValue: typeCode), type.isReal || type.isInteger || type == .bool else {
            throw .unsupported("\(title) is of element type \(ONNXElementType(rawValue: typeCode)?.name ?? "number \(typeCode)")")
        }
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow else { throw .malformed("shape \(shape) of \(title)", offset: range.lowerBound) }
            count = product
        }
        let content: ONNXTensor.Content
        let found: Int
        if let raw, let size = type.size {
            (content, found) = (.raw(bytes, raw), raw.count / size)
            guard raw.count.isMultiple(of: size) else { throw .malformed("\(raw.count) bytes for \(title)", offset: raw.lowerBound) }
        } else {
            switch type {
            case .float32: (content, found) = (.floats(floats), floats.count)
            case .float64: (content, found) = (.doubles(doubles), doubles.count)
            default: (content, found) = (.integers(integers), integers.count)
            }
        }
        guard found == count else {
            throw .malformed("\(title) has \(found) elements, its shape \(shape) has \(count)", offset: range.lowerBound)
        }
        return ONNXTensor(name: name, type: type, shape: shape, count: count, content: content)
    }

    mutating func valueInfo(_ range: Range<Int>) throws(ONNXError) -> ONNXValueInfo {
        try countItem()
        var reader = WireReader(bytes, range)
        var info = ONNXValueInfo(name: "", type: nil, shape: nil)
        while let field = try reader.field() {
            switch field.number {
            case 1: info.name = try field.string(bytes)
            case 2:
                var type = WireReader(bytes, try field.range())
                while let field = try type.field() {
                    if field.number == 1 { try tensorType(try field.range(), &info) }
                }
            default: break
            }
        }
        return info
    }

    private func tensorType(_ range: Range<Int>, _ info: inout ONNXValueInfo) throws(ONNXError) {
        var reader = WireReader(bytes, range)
        while let field = try reader.field() {
            switch field.number {
            case 1: info.type = ONNXElementType(rawValue: try field.integer())
            case 2:
                var shape: [ONNXDimension] = []
                var dimensions = WireReader(bytes, try field.range())
                while let field = try dimensions.field() {
                    guard field.number == 1 else { continue }
                    guard shape.count < limits.rank else { throw .tooLarge("value \"\(info.name)\" of more than \(limits.rank) axes") }
                    shape.append(try dimension(try field.range()))
                }
                info.shape = shape
            default: break
            }
        }
    }

    private func dimension(_ range: Range<Int>) throws(ONNXError) -> ONNXDimension {
        var reader = WireReader(bytes, range)
        var dimension = ONNXDimension.dynamic("")
        while let field = try reader.field() {
            switch field.number {
            case 1:
                let extent = try field.integer()
                // Some writers say -1 or 0 where the extent is not known.
                dimension = extent > 0 ? .fixed(extent) : .dynamic("")
            case 2: dimension = .dynamic(try field.string(bytes))
            default: break
            }
        }
        return dimension
    }
}
