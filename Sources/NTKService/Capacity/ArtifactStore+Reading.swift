internal import ArtifactStore
internal import HTTPTypes
internal import TensorFormats

extension ArtifactStore {
    /// Reads something of an artifact, and makes sense of it. What makes no sense is damaged, and remembered as such.
    /// - Parameter name: the artifact, as clients are told of it.
    func reading<Value>(_ id: ArtifactID, _ name: String, _ read: () throws -> Value) throws(ProblemDetails) -> Value {
        do {
            return try read()
        } catch let problem as ProblemDetails where problem.status == .serviceUnavailable || problem.missingBytes > 0 {
            throw problem
        } catch let error as ArtifactStoreError {
            guard case .damaged(let path) = error else { throw ProblemDetails(error) }
            throw damaged(id, "\(name): \(path.split(separator: "/").last ?? "")")
        } catch let problem as ProblemDetails where problem.type == .damagedArtifact {
            throw damaged(id, "\(name): a part of it")
        } catch {
            throw damaged(id, "\(name): what it says")
        }
    }

    private func damaged(_ id: ArtifactID, _ what: String) -> ProblemDetails {
        let problem = ProblemDetails.damagedRecord(what)
        damage.report(id.description, problem.detail)
        return problem
    }
}

/// What a list says of something that cannot be read: the others are told of all the same.
enum UnreadableEntry {
    static func json(id: String, _ problem: ProblemDetails) -> String {
        json(id: id, detail: problem.detail, isDamaged: problem.type == .damagedArtifact)
    }

    static func json(id: String, detail: String, isDamaged: Bool) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.member("id", id)
        json.member("unreadable", detail)
        if isDamaged { json.member("status", "damaged") }
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
