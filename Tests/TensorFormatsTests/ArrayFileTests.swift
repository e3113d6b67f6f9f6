import Foundation
import TensorFormats
import Testing

struct ArrayFileTests {
    @Test func npyOfEveryTypeAndOrder() throws {
        func numbers(_ descriptor: String, _ content: [UInt8]) throws -> [Double] {
            Array(try Npy.read(npy(descriptor, "2,", content)[...]).elements)
        }
        #expect(try numbers("<f8", little([1.5, -2.25])) == [1.5, -2.25])
        #expect(try numbers(">f8", little([(1.5).bitPattern.bigEndian, (-2.25).bitPattern.bigEndian])) == [1.5, -2.25])
        #expect(try numbers("<f4", little([Float(1.5), Float(-0.1)])) == [1.5, Double(Float(-0.1))])
        #expect(try numbers("<f2", [0x00, 0x3E, 0x01, 0x80]) == [1.5, -0x1p-24])
        #expect(try numbers("<i8", little([Int64(-3), Int64(1) << 40])) == [-3, 0x1p40])
        #expect(try numbers(">i4", little([Int32(-3).bigEndian, Int32(7).bigEndian])) == [-3, 7])
        #expect(try numbers("|u1", [0, 255]) == [0, 255])
        let fortran = try Npy.read(npy("<f8", "2, 3", little([1.0, 2, 3, 4, 5, 6]), isFortran: true)[...])
        #expect(fortran.shape == [2, 3] && Array(fortran.elements) == [1, 3, 5, 2, 4, 6])
        let missing = try Npy.read(npy("<f8", "2,", little([1.0, .nan]))[...])
        #expect(missing.hasNulls)
    }

    @Test func npyThatIsWrong() {
        let good = npy("<f8", "2,", little([1.0, 2]))
        for length in 0..<good.count { #expect(throws: FormatError.self) { try Npy.read(good[..<length]) } }
        for bad in [
            npy("<c16", "1,", [UInt8](repeating: 0, count: 16)), npy("<f8", "3,", little([1.0, 2])), npy("<f8", "-1,", []),
            npy("<f8", "99999999999, 99999999999", []), npy("<f8", "1,", little([Double.infinity])),
        ] {
            #expect(throws: FormatError.self) { try Npy.read(bad[...]) }
        }
    }

    private func npyWith(header: String, _ content: [UInt8] = []) -> [UInt8] {
        [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(truncatingIfNeeded: header.utf8.count), UInt8(header.utf8.count >> 8)] + Array(header.utf8)
            + content
    }

    @Test func npyHeadersAreReadNotEvaluated() throws {
        for good in [
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", "{'shape':(2L,),'descr':'<f8','fortran_order':False}   \n",
            "{\"descr\": \"<f8\", \"fortran_order\": True, \"shape\": (1, 2)}",
        ] {
            #expect(try Array(Npy.read(npyWith(header: good, little([1.0, 2]))[...]).elements) == [1, 2], "\(good)")
        }
        for bad in [
            "{'descr': '<f8', 'fortran_order': False, 'shape': (+2,), }", "{'descr': '<f8', 'fortran_order': False, 'shape': (2), }",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1 2,), }", "{'descr': '<f8', 'fortran_order': False}",
            "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", "{'descr': '<f8', 'fortran_order': 0, 'shape': (2,), }",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'x': 1}", "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), } + 1",
            "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,), }", "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
            "{'descr': 'xf8', 'fortran_order': False, 'shape': (2,), }",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000,1000000,1000), }",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (\(String(repeating: "1,", count: 65))2), }",
            "__import__('os')", "",
        ] {
            #expect(throws: FormatError.self, "\(bad)") { try Npy.read(npyWith(header: bad, little([1.0, 2]))[...]) }
        }
    }

    @Test func safetensorsStandOneBehindAnother() throws {
        func read(_ a: (Int, Int), _ b: (Int, Int), bytes: Int) throws -> Int {
            func entry(_ range: (Int, Int)) -> String {
                #"{"dtype":"U8","shape":[\#(range.1 - range.0)],"data_offsets":[\#(range.0),\#(range.1)]}"#
            }
            let header = #"{"a":\#(entry(a)),"b":\#(entry(b))}"#
            return try Safetensors.read(safetensors(header, [UInt8](repeating: 1, count: bytes))[...]).arrays.count
        }
        #expect(try read((0, 2), (2, 5), bytes: 5) == 2)
        #expect(try read((2, 5), (0, 2), bytes: 5) == 2)
        #expect(try read((0, 0), (0, 2), bytes: 2) == 2)
        for (a, b, bytes) in [((0, 2), (0, 2), 2), ((0, 3), (2, 5), 5), ((0, 2), (3, 5), 5), ((0, 2), (2, 4), 5), ((1, 2), (2, 5), 5)] {
            #expect(throws: FormatError.self, "\(a) \(b)") { try read(a, b, bytes: bytes) }
        }
        #expect(throws: FormatError.self) { try Safetensors.read(safetensors(" {}", [])[...]) }
        #expect(throws: FormatError.self) { try Safetensors.read(safetensors("", [])[...]) }
    }

    @Test func multipartOfTooManyPartsOrTooLongHeads() throws {
        func read(_ body: String) throws -> Int { try Multipart.read(Array(body.utf8), contentType: "multipart/form-data; boundary=x").count }
        let part = "--x\r\ncontent-disposition: form-data; name=a\r\n\r\n\r\n"
        #expect(try read(String(repeating: part, count: 4_096) + "--x--") == 4_096)
        #expect(throws: FormatError.self) { try read(String(repeating: part, count: 4_097) + "--x--") }
        #expect(throws: FormatError.self) { try read("--x\r\nX: \(String(repeating: "a", count: 16_384))" + part.dropFirst(3) + "--x--") }
    }

    @Test func safetensorsOfEveryFloat() throws {
        let header = #"""
            {"__metadata__":{"format":"pt"},"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1,1],
             "data_offsets":[8,12]},"c":{"dtype":"F16","shape":[2],"data_offsets":[12,16]},"d":{"dtype":"BF16","shape":[2],"data_offsets":[16,20]}}
            """#
        let file = safetensors(header, little([0.1]) + little([Float(0.1)]) + [0x00, 0xC0, 0xFF, 0x7B] + [0x80, 0x3F, 0x49, 0xC0])
        let read = try Safetensors.read(file[...])
        #expect(read.metadata.map(\.text) == ["pt"])
        #expect(read.arrays.map(\.name) == ["a", "b", "c", "d"])
        #expect(read.arrays.map { Array($0.array.elements) } == [[0.1], [Double(Float(0.1))], [-2, 65504], [1, -3.140625]])
        #expect(read.arrays[1].array.shape == [1, 1])
        for length in 0..<file.count { #expect(throws: FormatError.self) { try Safetensors.read(file[..<length]) } }
    }

    @Test func safetensorsThatAreWrong() {
        for entry in [
            #"{"dtype":"F64","shape":[2],"data_offsets":[0,8]}"#, #"{"dtype":"F64","shape":[1],"data_offsets":[8,16]}"#,
            #"{"dtype":"C64","shape":[1],"data_offsets":[0,8]}"#, #"{"dtype":"F64","shape":[-1],"data_offsets":[0,8]}"#, "[]",
            #"{"dtype":"F64","shape":[1],"data_offsets":[8,0]}"#, #"{"dtype":"F64","shape":[4611686018427387904,4],"data_offsets":[0,0]}"#,
        ] {
            #expect(throws: FormatError.self, "\(entry)") { try Safetensors.read(safetensors("{\"a\":\(entry)}", little([1.0]))[...]) }
        }
    }

    @Test func npzThatIsDamagedOrClaimsTooMuch() {
        let file = npy("<f8", "2,", little([1.0, 2]))
        let deflated = [1] + little([UInt16(file.count), ~UInt16(file.count)]) + file
        #expect(throws: FormatError.self, "another checksum") {
            try Npz.read(zip("a.npy", method: 0, packed: file, size: file.count, checksum: crc32(file) ^ 1)[...], limit: 1_000)
        }
        // Nothing of that size is ever allocated: it would end the process.
        for size in [1 << 30, 0xFFFF_FFFE, 0xFFFF_FFFF] {
            #expect(throws: FormatError.self, "\(size)") {
                try Npz.read(zip("a.npy", method: 8, packed: deflated, size: size, checksum: 0)[...], limit: .max)
            }
        }
    }

    /// The size stands in the ZIP64 field, wherever that is among the others, for who reads and for who only asks how much it will be.
    @Test func npzWithASizeOfItsOwn() throws {
        let file = npy("<f8", "2,", little([1.0, 2]))
        let extra = [0x99, 0x99, 4, 0, 1, 0, 0, 0, 1, 0, 8, 0] + little([UInt64(file.count)])
        let archive = zip("a.npy", method: 0, packed: file, size: 0xFFFF_FFFF, checksum: crc32(file), extra: extra)
        #expect(try Array(Npz.read(archive[...], limit: 1_000).arrays[0].array.elements) == [1, 2])
        #expect(Npz.inflatedBytes(archive[...], limit: 1_000) == file.count)
    }

    @Test func npzStoredAndDeflated() throws {
        let file = npy("<f8", "2,", little([1.0, 2]))
        let checksum = crc32(file)
        // A deflate block that is stored: its length, and that inverted.
        let count = UInt16(file.count)
        let deflated = [1] + little([count, ~count]) + file
        for (method, packed) in [(UInt8(0), file), (8, deflated)] {
            let archive = zip("0.weight.npy", method: method, packed: packed, size: file.count, checksum: checksum)
            let read = try Npz.read(archive[...], limit: 1_000)
            #expect(read.arrays.map(\.name) == ["0.weight"] && Array(read.arrays[0].array.elements) == [1, 2])
            #expect(throws: FormatError.self) { try Npz.read(archive[...], limit: file.count - 1) }
            for length in 0..<archive.count { #expect(throws: FormatError.self) { try Npz.read(archive[..<length], limit: 1_000) } }
        }
        #expect(
            try Npz.read(zip("meta.json", method: 0, packed: [0x7B, 0x7D], size: 2, checksum: crc32([0x7B, 0x7D]))[...], limit: 9).meta == [
                0x7B, 0x7D,
            ])
        #expect(throws: FormatError.self) {
            try Npz.read(zip("a.npy", method: 8, packed: deflated, size: file.count + 1, checksum: checksum)[...], limit: 1_000)
        }
        #expect(throws: FormatError.self) {
            try Npz.read(zip("a.npy", method: 12, packed: file, size: file.count, checksum: checksum)[...], limit: 1_000)
        }
    }

    @Test func partsOfABody() throws {
        let body =
            Array("--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\nContent-Type: text/plain\r\n\r\n1\r\n--\r\n--x \r\n".utf8)
            + Array("content-disposition: form-data; name=b\r\n\r\n\r\n--x--".utf8)
        let parts = try Multipart.read(body, contentType: "multipart/form-data; boundary=x")
        #expect(parts.map(\.name) == ["a", "b"])
        #expect(parts.map { String(decoding: $0.content, as: UTF8.self) } == ["1\r\n--", ""])
        #expect(parts[0].mediaType == "text/plain")
        for length in 0..<body.count - 1 {
            #expect(throws: FormatError.self) { try Multipart.read(Array(body[..<length]), contentType: "multipart/form-data; boundary=x") }
        }
        #expect(throws: FormatError.self) { try Multipart.read(body, contentType: "multipart/form-data") }
    }
}
