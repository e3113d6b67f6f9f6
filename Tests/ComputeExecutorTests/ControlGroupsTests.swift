import Foundation
import Testing

@testable import ComputeExecutor

struct ControlGroupsTests {
    @Test func theLeastLimitCounts() throws {
        let root = NSTemporaryDirectory() + "cgroup-tests-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root + "/a/b", withIntermediateDirectories: true)
        let files = [
            "a/memory.max": "5000000\n", "a/b/memory.max": "max\n", "a/cpu.max": "150000 100000\n", "a/b/cpu.max": "400000 100000\n",
            "cpu.max": "max 100000\n",
        ]
        for (path, text) in files { try text.write(toFile: "\(root)/\(path)", atomically: true, encoding: .utf8) }
        let inner = ControlGroups(root: root, membership: "0::/a/b\n")
        #expect(inner.memoryBytes == 5_000_000 && inner.cores == 1.5)
        let outer = ControlGroups(root: root, membership: "12:memory:/x\n0::/\n")
        #expect(outer.memoryBytes == nil && outer.cores == nil)
        let old = ControlGroups(root: root, membership: "12:memory:/x\n")
        #expect(old.memoryBytes == nil && old.cores == nil)
    }

    @Test func thereIsAMachine() {
        #expect(Machine.memoryBytes > 0)
        #expect((1...ProcessInfo.processInfo.activeProcessorCount).contains(Machine.cores))
    }
}
