import NTK
import Testing

struct ArchitectureTests {
    @Test(arguments: [
        (Layer.relu, ""),
        (.serial([.relu]), "/layers/0"),
        (.serial([.dense(Affine()), .relu, .erf]), "/layers/2"),
        (.serial([.dense(Affine()), .serial([.relu, .relu])]), "/layers/1/layers/1"),
        (.serial([.dense(Affine()), .relu, .dense(Affine(parameterization: .standard))]), "/layers/2"),
        (.serial([.dense(Affine(weightStd: 1e200))]), "/layers/0"),
        (.mlp(depth: -1), "/depth"),
    ])
    func refusesWithThePlace(architecture: Layer, path: String) {
        let error = #expect(throws: ArchitectureError.self) { try AnalyticKernel(architecture, features: 3) }
        #expect(error?.path == path)
    }

    @Test func nestedSerialIsFlat() throws {
        let nested = Layer.serial([.serial([.dense(Affine()), .relu]), .serial([]), .dense(Affine(weightStd: 2))])
        #expect(throws: Never.self) { try AnalyticKernel(nested, features: 1) }
    }
}
