import ComputeExecutor
import Foundation
import HTTPTypes
import Jobs
import TensorFormats
import Testing

@testable import NTKService

/// What is damaged of a job is never answered with, and the job is done again when it is asked for again; what its files say ends no process.
final class DamagedJobTests {
    private let directory = NSTemporaryDirectory() + "damaged-jobs-" + UUID().uuidString

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// A server that has just started.
    private func server() throws -> (client: ServiceClient, board: JobBoard) {
        let board = try JobBoard(directory: directory + "/jobs")
        return (ServiceClient(service: NTKService(executor: ComputeExecutor(width: 2), jobs: board)), board)
    }

    private func submit(_ client: ServiceClient) async throws -> ServiceClient.Answer {
        try await client.send(
            .post, "/v1/kernels",
            [.contentType: "application/json", JobEndpointTests.prefer: "respond-async", JobEndpointTests.key: "a-key"],
            body: Array(JobEndpointTests.kernel(150).utf8))
    }

    private func status(_ answer: ServiceClient.Answer) throws -> String {
        guard case .string(let status)? = try answer.object["status"] else { throw JSONError(.shape, at: "/status", answer.text) }
        return status
    }

    private func ended(_ client: ServiceClient, _ location: String) async throws -> String {
        for _ in 0..<2_000 {
            let status = try status(await client.send(.get, location))
            if !["queued", "running"].contains(status) { return status }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw JSONError(.shape, at: location, "the job does not end")
    }

    /// Does the job to its end.
    private func finish() async throws -> (location: String, result: [UInt8]) {
        let (client, board) = try server()
        client.service.startJobs()
        let location = try #require(try await submit(client).fields[.location])
        #expect(try await ended(client, location) == "succeeded")
        let result = try await client.send(.get, location + "/result?format=npz")
        await board.checkpoint()
        return (location, result.body)
    }

    private static func damages(_ whole: Data) -> [Data] {
        var damages = [whole.dropLast(3), Data(), Data(repeating: 0, count: whole.count), whole + Data("x".utf8)]
        for place in [0, 1, whole.count / 3, whole.count / 2, whole.count - 30, whole.count - 3] where whole.indices.contains(place) {
            for bit: UInt8 in [1, 0x40] {
                var bytes = whole
                bytes[place] ^= bit
                damages.append(bytes)
            }
        }
        return damages
    }

    @Test func whateverIsDamaged() async throws {
        let (location, right) = try await finish()
        let place = directory + "/jobs/" + location.dropFirst("/v1/jobs/".count)
        let files = try FileManager.default.contentsOfDirectory(atPath: place).sorted()
        #expect(files == ["0.npy", "0.npy.sums", "1.npy", "1.npy.sums", "checksums", "job.json", "lock", "outcome.json"])
        var seen = Set<String>()
        for file in files where file != "lock" {
            let url = URL(filePath: "\(place)/\(file)")
            let whole = try Data(contentsOf: url)
            for bytes in Self.damages(whole) {
                try bytes.write(to: url)
                let (client, board) = try server()
                let answer = try await client.send(.get, location + "/result?format=npz")
                let isRight = answer.status == 200 && answer.body == right
                #expect(isRight || (answer.status == 500 && answer.text.contains("/problems/damaged-artifact")), "\(file): \(answer.status)")
                if !isRight {
                    seen.insert(file)
                    #expect(board.damages == 1)
                    // Also where the list is asked first.
                    for lister in [client, try server().client] {
                        let list = try await lister.send(.get, "/v1/jobs")
                        #expect(list.status == 200 && list.text.contains(#""status":"damaged""#), "\(file): \(list.text)")
                        #expect(try await lister.send(.get, "/v1/jobs?status=damaged").text.contains(location.dropFirst("/v1/jobs/".count)))
                        #expect(try await !lister.send(.get, "/v1/jobs?status=succeeded").text.contains("job_"))
                    }
                }
                try whole.write(to: url)
            }
        }
        #expect(seen.isSuperset(of: ["0.npy", "0.npy.sums", "1.npy", "1.npy.sums", "outcome.json"]), "\(seen)")
    }

    @Test func itIsDoneAgainWhenItIsAskedForAgain() async throws {
        let (location, right) = try await finish()
        let place = directory + "/jobs/" + location.dropFirst("/v1/jobs/".count)
        let (client, board) = try server()
        client.service.startJobs()
        // As long as nothing is damaged, nothing is done.
        let first = try await submit(client)
        #expect(first.status == 202 && first.fields[.location] == location)
        #expect(try status(await client.send(.get, location)) == "succeeded")
        for file in ["1.npy", "outcome.json", "job.json", "0.npy.sums"] {
            let url = URL(filePath: "\(place)/\(file)")
            var bytes = try Data(contentsOf: url)
            bytes[bytes.count / 2] ^= 8
            try bytes.write(to: url)
            let again = try await submit(client)
            #expect(again.status == 202 && again.fields[.location] == location, "\(file): \(again.text)")
            #expect(try await ended(client, location) == "succeeded")
            #expect(try await client.send(.get, location + "/result?format=npz").body == right, "\(file)")
            #expect(try await !client.send(.get, "/v1/jobs").text.contains("damaged"))
        }
        await board.checkpoint()
    }

    /// Jobs of versions before there were checksums.
    @Test func withoutChecksums() async throws {
        let (location, right) = try await finish()
        let place = directory + "/jobs/" + location.dropFirst("/v1/jobs/".count)
        for file in ["checksums", "0.npy.sums", "1.npy.sums"] { try FileManager.default.removeItem(atPath: "\(place)/\(file)") }
        let outcome = URL(filePath: place + "/outcome.json")
        let lines = try String(contentsOf: outcome, encoding: .utf8).split(separator: "\n")
        try (lines[0] + "\n" + lines[1] + "\n").write(to: outcome, atomically: true, encoding: .utf8)
        let job = URL(filePath: place + "/job.json")
        let manifest = try String(contentsOf: job, encoding: .utf8).replacing(#""version":2"#, with: #""version":1"#)
        let start = try #require(manifest.range(of: ",\"crc32\""))
        try (manifest[..<start.lowerBound] + "}").write(to: job, atomically: true, encoding: .utf8)
        let client = try server().client
        #expect(try await client.send(.get, location + "/result?format=npz").body == right)
        #expect(try await client.send(.get, "/v1/jobs").text.contains(#""status":"succeeded""#))
    }

    private static let absurdNumbers = [
        "9223372036854775807", "-9223372036854775808", "-1", "1e300", "-1e300", "1e-300", "18446744073709551616", "null", "[]", "\"1\"", "{}",
    ]

    private static let absurdTexts = [
        "", "{}", "[]", "null", "7", "{", "\u{0}", String(repeating: "[", count: 100_000), "{\"a\":" + String(repeating: "{\"a\":", count: 50_000),
        "{\"attempt\":1,\"step\":1,\"status\":\"running\",\"progress\":0.5,\"more\":\"" + String(repeating: "x", count: 2_000_000) + "\"}",
        "{\"attempt\":1,\"attempt\":2,\"step\":1,\"status\":\"running\",\"progress\":0.5}",
    ]

    /// Every field of a state, with every absurd value: the job goes on all the same.
    @Test func absurdStates() async throws {
        let (waiting, _) = try server()
        let location = try #require(try await submit(waiting).fields[.location])
        let place = directory + "/jobs/" + location.dropFirst("/v1/jobs/".count)
        let state = [
            "attempt": "1", "losses": "0", "step": "2", "status": "\"running\"", "progress": "0.5", "kept": "0.25", "eta_seconds": "3",
            "started_at": "1700000000000", "finished_at": "1700000000000",
        ]
        var texts = Self.absurdTexts
        for field in state.keys {
            for value in Self.absurdNumbers {
                texts.append("{" + state.map { "\"\($0.key)\":\($0.key == field ? value : $0.value)" }.joined(separator: ",") + "}")
            }
        }
        for text in texts {
            try text.write(toFile: place + "/state.json", atomically: true, encoding: .utf8)
            let (client, _) = try server()
            for path in [location, "/v1/jobs", "/v1/jobs?status=running", location + "/result", "/metrics"] {
                let answer = try await client.send(.get, path)
                #expect(answer.status == (path.hasSuffix("result") ? 409 : 200), "\(path) of \(text.prefix(200)): \(answer.text.prefix(200))")
            }
        }
        for text in texts.shuffled().prefix(5) {
            try text.write(toFile: place + "/state.json", atomically: true, encoding: .utf8)
            let (client, board) = try server()
            client.service.startJobs()
            let end = try await ended(client, location)
            #expect(end == "succeeded" || (end == "failed" && text.contains("losses")), "\(text.prefix(200))")
            await board.checkpoint()
        }
    }

    /// An outcome without checksums, as those of the first version are, with anything in it.
    @Test func absurdOutcomes() async throws {
        let (location, _) = try await finish()
        let place = directory + "/jobs/" + location.dropFirst("/v1/jobs/".count)
        let whole = try String(contentsOfFile: place + "/outcome.json", encoding: .utf8).split(separator: "\n")
        var texts = Self.absurdTexts
        let contents = [#"{"status":99999999999}"#, #"{"status":-1}"#, #"{"status":200}"#, "{}", "[]", "7"] + Self.absurdTexts
        for status in ["succeeded", "failed", "cancelled", "queued", "damaged"] {
            let state = whole[0].replacing("succeeded", with: status)
            texts += contents.map { "\(state)\n\($0)\n" }
            for (from, values) in [
                (
                    "\"shape\":[150,150]",
                    ["[9223372036854775807,9223372036854775807]", "[-1,5]", "[]", "[1e300]", "7", "[150,151]"].map { "\"shape\":\($0)" }
                ), ("\"file\":0", ["-1", "7", "9223372036854775807"].map { "\"file\":\($0)" }),
            ] {
                texts += values.map { "\(state)\n\(whole[1].replacing(from, with: $0))\n" }
            }
        }
        for text in texts {
            try text.write(toFile: place + "/outcome.json", atomically: true, encoding: .utf8)
            let (client, _) = try server()
            for path in [location, "/v1/jobs", "/metrics"] {
                #expect(try await client.send(.get, path).status == 200, "\(text.prefix(300))")
            }
            let answer = try await client.send(.get, location + "/result?format=npz")
            #expect([409, 500].contains(answer.status), "\(answer.status) for \(text.prefix(600))")
            if answer.status == 500 { #expect(answer.text.contains("damaged-artifact"), "\(answer.text)") }
        }
    }
}
