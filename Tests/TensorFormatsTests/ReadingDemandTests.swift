import TensorFormats
import Testing

/// What is asked for before a file is read, beside what reading it makes: eight bytes a number.
struct ReadingDemandTests {
    private static let count = 1_000
    private static let types = [
        ("<f8", 8), ("<i8", 8), ("<u8", 8), (">f4", 4), ("<i4", 4), ("<f2", 2), (">u2", 2), ("|u1", 1), ("|i1", 1), ("|b1", 1),
    ]

    private func file(_ descriptor: String, _ size: Int, isFortran: Bool = false) -> [UInt8] {
        npy(descriptor, "50, \(Self.count / 50)", [UInt8](repeating: 0, count: Self.count * size), isFortran: isFortran)
    }

    /// Some percent above what is needed: what stands before the numbers counts as some of them.
    private func isClose(_ bytes: Int, to needed: Int) -> Bool { bytes >= needed && bytes <= needed + needed / 20 + 8 * 128 }

    @Test(arguments: types)
    func npyAsItsHeaderSays(descriptor: String, size: Int) throws {
        for isFortran in [false, true] {
            let file = file(descriptor, size, isFortran: isFortran)
            let demand = Npy.demand(file[...], size: file.count)
            #expect(isClose(demand.kept, to: 8 * Self.count) && demand.passing == (isFortran ? demand.kept : 0))
            #expect(try Npy.read(file[...]).elements.count == Self.count)
            // The beginning is enough, and what is no beginning is taken for the worst.
            #expect(Npy.demand(file.prefix(128), size: file.count) == demand)
            #expect(Npy.demand(file.prefix(50), size: file.count) == ReadingDemand(kept: 8 * file.count, passing: 8 * file.count))
        }
    }

    @Test(arguments: types)
    func npzAsItsMembersSay(descriptor: String, size: Int) throws {
        for isFortran in [false, true] {
            let file = file(descriptor, size, isFortran: isFortran)
            let turned = isFortran ? 8 * Self.count : 0
            let stored = zip("x.npy", method: 0, packed: file, size: file.count, checksum: crc32(file))
            let plain = Npz.demand(stored[...], limit: .max)
            #expect(isClose(plain.kept, to: 8 * Self.count) && isClose(plain.passing, to: turned))
            // Deflated as one block that is stored: what is inflated takes memory, too.
            let length = UInt16(file.count)
            let packed = [1] + little([length, ~length]) + file
            let deflated = zip("x.npy", method: 8, packed: packed, size: file.count, checksum: crc32(file))
            let inflated = Npz.demand(deflated[...], limit: .max)
            #expect(inflated.kept == plain.kept && isClose(inflated.passing, to: turned + file.count))
            for archive in [stored, deflated] { #expect(try Npz.read(archive[...], limit: .max).arrays[0].array.elements.count == Self.count) }
        }
    }

    @Test func membersComeOneAfterAnother() throws {
        var writer = NpzWriter()
        writer.append("meta.json", Array("{}".utf8))
        writer.append("a.npy", file("|u1", 1))
        writer.append("b.npy", file("<f8", 8, isFortran: true))
        writer.append("c.npy", file("<f2", 2, isFortran: true))
        writer.finish()
        let archive = try writer.pieces.reduce(into: [UInt8]()) { $0 += try $1.make() }
        let demand = Npz.demand(archive[...], limit: .max)
        // A member takes half a kilobyte beside its numbers.
        #expect(isClose(demand.kept - 4 * 512, to: 3 * 8 * Self.count) && isClose(demand.passing, to: 8 * Self.count) && demand.text == 2)
        // What is not read takes nothing.
        #expect(Npz.demand(archive[...], limit: Self.count + 1_000).kept < 2 * 8 * Self.count)
        // Also where it stands within something else, and where it is cut or damaged.
        let within = [UInt8](repeating: 9, count: 77) + archive
        #expect(Npz.demand(within[77...], limit: .max) == demand)
        for length in stride(from: 0, to: archive.count, by: 301) { #expect(Npz.demand(archive[..<length], limit: .max).bytes <= demand.bytes) }
        for place in archive.indices where place < 150 || place > archive.count - 250 {
            var damaged = archive
            damaged[place] = 0xFF
            _ = Npz.demand(damaged[...], limit: 1 << 30)
        }
    }

    @Test(arguments: [("F64", 8), ("I64", 8), ("F32", 4), ("F16", 2), ("BF16", 2), ("U16", 2), ("I8", 1), ("BOOL", 1)])
    func safetensorsAsTheHeaderSays(type: String, size: Int) throws {
        let bytes = Self.count * size
        let content = [UInt8](repeating: 0, count: bytes + 8)
        let second = #""b":{"dtype":"F64","shape":[1],"data_offsets":[\#(bytes),\#(bytes + 8)]}"#
        let file = safetensors(#"{"a":{"dtype":"\#(type)","shape":[\#(Self.count)],"data_offsets":[0,\#(bytes)]},\#(second)}"#, content)
        let demand = Safetensors.demand(file[...])
        #expect(isClose(demand.bytes, to: 8 * Self.count + 8))
        #expect(try Safetensors.read(file[...]).arrays[0].array.elements.count == Self.count)
        // A type that is spelled in another way.
        let escaped = safetensors(
            #"{"a":{"dtype":"\u00\#(String(type.utf8.first ?? 0, radix: 16))\#(type.dropFirst())","shape":[\#(Self.count)],"data_offsets":[0,\#(bytes)]},\#(second)}"#,
            content)
        #expect(Safetensors.demand(escaped[...]).kept == demand.kept)
        // A header that nobody reads for this.
        let long = safetensors(
            #"{"__metadata__":{"a":"\#(String(repeating: "a", count: 300_000))"},"a":{"dtype":"\#(type)","shape":[\#(Self.count)],"data_offsets":[0,\#(bytes)]},\#(second)}"#,
            content)
        #expect(Safetensors.demand(long[...]).kept >= 8 * Self.count)
    }
}
