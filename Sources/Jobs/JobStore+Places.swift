internal import ArtifactStore

// The servers that work on a job, and the arrays that are made of it.
extension JobStore {
    /// The place of a job's owner.
    func place(_ id: JobID) throws(ArtifactStoreError) -> JobPlace {
        try Files.names(in: path(id)).compactMap { JobPlace(name: $0) }.max() ?? .own
    }

    /// Claims a job that no server works on, also one whose server has died; nil while another holds it.
    func claim(_ id: JobID) throws(ArtifactStoreError) -> JobClaim? {
        let place = try place(id)
        // Else another server took it in between.
        guard let lock = JobLock(path(id, place.path("lock"))), try self.place(id) == place else { return nil }
        lock.beat()
        return JobClaim(place: place, lock: lock, isTaken: false)
    }

    /// What changes as long as the holder of a job lives.
    func heartbeat(_ id: JobID) -> Heartbeat? {
        guard let place = try? place(id), let stamp = Files.stamp(path(id, place.path("lock"))) else { return nil }
        return Heartbeat(place: place, stamp: stamp)
    }

    /// Takes a job from a server that hangs: copies what is finished to a place of its own, as that server may wake up and go on writing where it
    /// was. What it has torn meanwhile does not have its checksums, and is done again.
    /// - Returns: nil if another was faster.
    func take(_ id: JobID, from old: JobPlace) throws -> JobClaim? {
        let number = max(try state(id).attempt, old.number) + 1
        let (place, temporary) = (JobPlace(number: number), path(id, Self.taking + String(UInt64.random(in: 0 ... .max), radix: 16)))
        try Files.makeDirectory(temporary)
        do {
            for file in try Files.names(in: path(id, old.name))
            where file == "blocks" || Self.isWork(file) || Self.isArray(file) && !file.hasSuffix(".sums") {
                try copy(path(id, old.path(file)), to: "\(temporary)/\(file)")
            }
            try FileWriter.write(to: "\(temporary)/lock") { _ in }
            guard let lock = JobLock("\(temporary)/lock"), try self.place(id) == old, !hasEnded(id),
                try Files.rename(temporary, to: path(id, place.name))
            else {
                Files.removeTree(temporary)
                return nil
            }
            try Files.synchronize(path(id))
            return JobClaim(place: place, lock: lock, isTaken: true)
        } catch {
            Files.removeTree(temporary)
            throw error
        }
    }

    private func copy(_ file: String, to new: String) throws {
        guard let reader = try FileReader(file) else { return }
        let step = 4 << 20
        try FileWriter.write(to: new, isDurable: false) { writer in
            for start in stride(from: 0, to: reader.count, by: step) { try writer.write(reader.read(start..<min(start + step, reader.count))) }
        }
    }

    /// Whether a job has gone over to another attempt, or has ended.
    func isOvertaken(_ id: JobID, _ own: JobPlace) -> Bool {
        guard !hasEnded(id), let place = try? place(id) else { return hasEnded(id) }
        return place != own
    }

    // MARK: Arrays of a result

    func write(_ sums: FileSums, ofArray index: Int, of id: JobID, in place: JobPlace) throws {
        var checksums = Checksums()
        checksums.files["\(index).npy"] = sums
        try replace(place.path("\(index).npy.sums"), of: id, with: checksums.text, isDurable: true)
    }

    /// - Throws: `damaged`, also where there are none.
    func sums(ofArray index: Int, of id: JobID, in place: String) throws(ArtifactStoreError) -> FileSums {
        let file = path(id, (place.isEmpty ? "" : place + "/") + "\(index).npy.sums")
        guard let text = try Files.read(file), let sums = Checksums(text: text)?.files["\(index).npy"] else { throw .damaged(path: file) }
        return sums
    }

    /// Reads the arrays of a result whole, but for those that were read before and have not changed since.
    /// - Parameter most: files of more bytes are left out.
    func checkArrays(_ id: JobID, _ outcome: JobOutcome, most: Int, _ checked: CheckedFiles) throws(ArtifactStoreError) {
        guard outcome.isChecked, outcome.state.status == .succeeded else { return }
        let directory = path(id, outcome.place)
        for file in try Files.names(in: directory) where Self.isArray(file) && file.hasSuffix(".sums") {
            guard let index = Int(file.dropLast(".npy.sums".count)) else { continue }
            let sums = try sums(ofArray: index, of: id, in: outcome.place)
            guard sums.count <= most else { continue }
            guard let reader = try FileReader("\(directory)/\(index).npy", sums: sums) else { throw .damaged(path: "\(directory)/\(index).npy") }
            if checked.contains(reader.stamp) { continue }
            try reader.check()
            checked.insert(reader.stamp)
        }
    }
}

/// A sign of life of a job's holder.
struct Heartbeat: Sendable, Equatable {
    var place: JobPlace
    var stamp: FileStamp
}
