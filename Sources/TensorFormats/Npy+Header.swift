extension Npy {
    /// The header, version 1.0, with which `array` begins as a `.npy` file; its length is a multiple of 64, so that the numbers can be mapped.
    package static func header(_ array: OutputArray) -> [UInt8] { header(shape: array.shape, isFloat32: array.isFloat32) }

    package static func header(shape: [Int], isFloat32: Bool) -> [UInt8] {
        let extents = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
        let text = "{'descr': '<f\(isFloat32 ? 4 : 8)', 'fortran_order': False, 'shape': (\(extents)), }"
        let size = (10 + text.utf8.count + 1 + 63) / 64 * 64
        let length = size - 10
        return magic + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + text.utf8
            + [UInt8](repeating: 0x20, count: length - text.utf8.count - 1) + [0x0A]
    }
}
