internal import CZlib
internal import Locks

/// Named arrays and one text as a `.npz` file: a zip archive of stored members (APPNOTE 6.3.10), written from start to end without knowing the
/// checksums before: they follow each member and stand in the directory.
package struct NpzWriter {
    /// Sizes and places from this on stand in a ZIP64 field.
    private let largest: Int
    package private(set) var pieces: [ContentPiece] = []
    private var offset = 0
    private var entries: [Entry] = []

    private struct Entry: Sendable {
        var name: [UInt8]
        var size: Int
        var offset: Int
        var checksum: MemberChecksum
    }

    package init() { self.init(largest: 0xFFFF_FFFF) }

    /// - Parameter largest: less than 2³² − 1 only to test how large archives are written.
    init(largest: Int) { self.largest = largest }

    package mutating func append(_ name: String, _ array: OutputArray) { append(name + ".npy", array.npyPieces) }

    package mutating func append(_ name: String, _ bytes: [UInt8]) { append(name, [ContentPiece(bytes)]) }

    /// A member whose pieces know their lengths.
    private mutating func append(_ name: String, _ content: [ContentPiece]) {
        let checksum = MemberChecksum(content)
        let entry = Entry(name: Array(name.utf8), size: content.reduce(0) { $0 + ($1.length ?? 0) }, offset: offset, checksum: checksum)
        entries.append(entry)
        add(ContentPiece(localHeader(entry)))
        for index in content.indices { add(checksum.piece(index)) }
        let isLarge = isLarge(entry.size)
        add(ContentPiece(length: isLarge ? 24 : 16) { try Self.descriptor(entry, isLarge: isLarge) })
    }

    /// Adds the directory. Nothing can be added afterwards.
    package mutating func finish() {
        let (entries, offset) = (entries, offset)
        let size = entries.reduce(0) { $0 + 46 + $1.name.count + largeFields($1).count }
        let largest = largest
        let end = Self.end(count: entries.count, size: size, offset: offset, largest: largest)
        add(
            ContentPiece(length: size + end.count) { [self] in
                var record = Record()
                for entry in entries { try record.bytes += directoryEntry(entry) }
                return record.bytes + end
            })
    }

    private mutating func add(_ piece: ContentPiece) {
        pieces.append(piece)
        offset += piece.length ?? 0
    }

    private func isLarge(_ number: Int) -> Bool { number >= largest }

    /// The size or place, or the mark that it stands in the ZIP64 field.
    private func short(_ number: Int) -> Int { isLarge(number) ? 0xFFFF_FFFF : number }

    private func localHeader(_ entry: Entry) -> [UInt8] {
        let isLarge = isLarge(entry.size)
        var record = Record()
        record.add(0x0403_4B50, 4)
        record.addCommon(isLarge: isLarge)
        record.add(0, 4)  // The checksum follows the content.
        for _ in 0..<2 { record.add(short(entry.size), 4) }
        record.add(entry.name.count, 2)
        record.add(isLarge ? 20 : 0, 2)
        record.bytes += entry.name
        if isLarge { record.addLargeFields([entry.size, entry.size]) }
        return record.bytes
    }

    private static func descriptor(_ entry: Entry, isLarge: Bool) throws -> [UInt8] {
        var record = Record()
        record.add(0x0807_4B50, 4)
        record.add(Int(try entry.checksum.value()), 4)
        for _ in 0..<2 { record.add(entry.size, isLarge ? 8 : 4) }
        return record.bytes
    }

    private func largeFields(_ entry: Entry) -> [UInt8] {
        let numbers = (isLarge(entry.size) ? [entry.size, entry.size] : []) + (isLarge(entry.offset) ? [entry.offset] : [])
        var record = Record()
        if !numbers.isEmpty { record.addLargeFields(numbers) }
        return record.bytes
    }

    private func directoryEntry(_ entry: Entry) throws -> [UInt8] {
        let large = largeFields(entry)
        var record = Record()
        record.add(0x0201_4B50, 4)
        record.add(3 << 8 | 45, 2)  // Made on Unix.
        record.addCommon(isLarge: !large.isEmpty)
        record.add(Int(try entry.checksum.value()), 4)
        for _ in 0..<2 { record.add(short(entry.size), 4) }
        record.add(entry.name.count, 2)
        record.add(large.count, 2)
        record.add(0, 6)  // No comment, the first disk, no attributes of ours.
        record.add(0o100644 << 16, 4)
        record.add(short(entry.offset), 4)
        record.bytes += entry.name + large
        return record.bytes
    }

    private static func end(count: Int, size: Int, offset: Int, largest: Int) -> [UInt8] {
        var record = Record()
        if count >= 0xFFFF || size >= largest || offset >= largest {
            record.add(0x0606_4B50, 4)
            record.add(44, 8)
            record.add(3 << 8 | 45, 2)
            record.add(45, 2)
            record.add(0, 8)
            for number in [count, count, size, offset] { record.add(number, 8) }
            record.add(0x0706_4B50, 4)
            record.add(0, 4)
            record.add(offset + size, 8)
            record.add(1, 4)
        }
        record.add(0x0605_4B50, 4)
        record.add(0, 4)
        for _ in 0..<2 { record.add(min(count, 0xFFFF), 2) }
        record.add(size >= largest ? 0xFFFF_FFFF : size, 4)
        record.add(offset >= largest ? 0xFFFF_FFFF : offset, 4)
        record.add(0, 2)
        return record.bytes
    }

    /// Little-endian numbers one after another.
    private struct Record {
        var bytes: [UInt8] = []

        mutating func add(_ number: Int, _ size: Int) {
            for index in 0..<size { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
        }

        /// Version, flags (checksum after the content, names in UTF-8), method, and a time that is always the same.
        mutating func addCommon(isLarge: Bool) {
            add(isLarge ? 45 : 20, 2)
            add(1 << 3 | 1 << 11, 2)
            add(0, 2)
            add(0, 2)
            add(1 << 5 | 1, 2)
        }

        mutating func addLargeFields(_ numbers: [Int]) {
            add(1, 2)
            add(8 * numbers.count, 2)
            for number in numbers { add(number, 8) }
        }
    }
}

/// The CRC-32 of a member, put together from those of its pieces, which are found when the pieces are made.
private final class MemberChecksum: Sendable {
    private let pieces: [ContentPiece]
    private let parts: Lock<[UInt?]>

    init(_ pieces: [ContentPiece]) {
        self.pieces = pieces
        parts = Lock([UInt?](repeating: nil, count: pieces.count))
    }

    /// A piece that leaves its checksum behind when it is made.
    func piece(_ index: Int) -> ContentPiece {
        ContentPiece(length: pieces[index].length) { [self] in
            let bytes = try pieces[index].make()
            let part = UInt(Checksum.crc32(bytes[...]))
            parts.withLock { $0[index] = part }
            return bytes
        }
    }

    func value() throws -> UInt {
        var whole: UInt = 0
        for index in pieces.indices {
            // Where only a part of the file is asked for, its piece may not have been made.
            if parts.withLock({ $0[index] }) == nil { _ = try piece(index).make() }
            let part = parts.withLock { $0[index] } ?? 0
            whole = crc32_combine(whole, part, pieces[index].length ?? 0)
        }
        return whole
    }
}
