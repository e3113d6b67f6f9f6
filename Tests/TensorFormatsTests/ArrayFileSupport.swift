// Files as they stand in the specifications, made without the code that is tested.

func npy(_ descriptor: String, _ shape: String, _ content: [UInt8], isFortran: Bool = false) -> [UInt8] {
    let header = "{'descr': '\(descriptor)', 'fortran_order': \(isFortran ? "True" : "False"), 'shape': (\(shape)), }\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + content
}

func little<Value: BitwiseCopyable>(_ values: [Value]) -> [UInt8] { unsafe values.withUnsafeBytes { unsafe Array($0) } }

func safetensors(_ header: String, _ content: [UInt8]) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) } + Array(header.utf8) + content
}

/// A zip archive of one member; `packed` is its content by `method`, `extra` what the directory has beside it.
func zip(_ name: String, method: UInt8, packed: [UInt8], size: Int, checksum: Int, extra: [UInt8] = []) -> [UInt8] {
    func number(_ value: Int, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    let common = [method, 0, 0, 0, 0, 0] + number(checksum, 4) + number(packed.count, 4) + number(size, 4) + number(name.utf8.count, 2)
    let local = [0x50, 0x4B, 3, 4, 20, 0, 0, 0] + common + number(0, 2) + Array(name.utf8) + packed
    let central =
        [0x50, 0x4B, 1, 2, 20, 0, 20, 0, 0, 0] + common + number(extra.count, 2) + number(0, 10) + number(0, 4)
        + Array(name.utf8) + extra
    return local + central + [0x50, 0x4B, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0] + number(central.count, 4) + number(local.count, 4) + [0, 0]
}

/// Of zip archives (ISO 3309).
func crc32(_ bytes: [UInt8]) -> Int {
    var crc: UInt32 = ~0
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return Int(~crc)
}
