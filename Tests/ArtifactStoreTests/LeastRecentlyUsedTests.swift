import ArtifactStore
import Testing

struct LeastRecentlyUsedTests {
    @Test func theOneNotAskedForTheLongestGoes() {
        let cache = LeastRecentlyUsed<String, Int>(capacity: 100)
        cache.insert(1, bytes: 40, for: "a")
        cache.insert(2, bytes: 40, for: "b")
        #expect(cache["a"] == 1)
        cache.insert(3, bytes: 40, for: "c")
        #expect(cache["b"] == nil && cache["a"] == 1 && cache["c"] == 3)
        cache.insert(4, bytes: 101, for: "d")
        #expect(cache["d"] == nil && cache["a"] == 1)
        cache.insert(5, bytes: 100, for: "e")
        #expect(cache["a"] == nil && cache["c"] == nil && cache["e"] == 5)
    }

    @Test func aMissingValueIsMadeOnce() {
        let cache = LeastRecentlyUsed<Int, String>(capacity: 10)
        var made = 0
        for _ in 0..<3 {
            let value = cache.value(for: 1) {
                made += 1
                return ("one", 1)
            }
            #expect(value == "one")
        }
        #expect(made == 1)
        #expect(cache.value(for: 2) { nil } == nil)
        cache.remove(1)
        #expect(cache[1] == nil)
    }
}
