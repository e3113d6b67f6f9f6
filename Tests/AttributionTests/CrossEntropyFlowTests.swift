import Attribution
import Foundation
import LinearAlgebra
import TestSupport
import Testing

struct CrossEntropyFlowTests {
    private func kernel(_ n: Int, seed: UInt64) throws -> Matrix<Double> {
        let root = Matrix.random(n, n, seed: seed)
        return try root.multiplyTransposed(root, on: SerialTiles())
    }

    /// One point of two classes: z = f_0 − f_1 follows dz/dt = 2θη/(1 + e^z), so that z + e^z grows by 2θηt.
    @Test func onePointIsKnown() throws {
        let (theta, rate) = (1.7, 0.4)
        let flow = CrossEntropyFlow(
            Matrix(rows: 1, columns: 1, [theta]), initial: Matrix(rows: 1, columns: 2, [0.2, 0.5]), classes: [0], rate: rate, isDiscrete: false,
            areOutputsApart: false)
        let times = [0, 0.1, 3, 50, 1e4]
        for (time, state) in zip(times, try flow.states(times, on: SerialTiles())) {
            let outputs = try flow.outputs(state, on: SerialTiles())
            let z = outputs[0, 0] - outputs[0, 1]
            #expect(abs(z + exp(z) - (-0.3 + exp(-0.3) + 2 * theta * rate * time)) < 1e-7 * max(1, exp(z)))
            #expect(abs(outputs[0, 0] + outputs[0, 1] - 0.7) < 1e-9)
            #expect(abs(flow.loss(outputs) - log1p(exp(-z))) < 1e-12)
        }
    }

    /// Against steps of gradient descent that become small: their error falls with the step.
    @Test(arguments: [false, true]) func flowIsTheLimitOfDescent(_ areOutputsApart: Bool) throws {
        let (n, k) = (5, 3)
        let kernel = try kernel(areOutputsApart ? n * k : n, seed: 1)
        let initial = Matrix.random(n, k, seed: 2)
        func outputs(_ rate: Double, _ time: Double, isDiscrete: Bool) throws -> Matrix<Double> {
            let flow = CrossEntropyFlow(
                kernel, initial: initial, classes: [0, 1, 2, 0, 1], rate: rate, isDiscrete: isDiscrete, areOutputsApart: areOutputsApart)
            return try flow.outputs(flow.states([time], on: SerialTiles())[0], on: SerialTiles())
        }
        let exact = try outputs(1, 4, isDiscrete: false)
        var errors: [Double] = []
        for steps in [4_000.0, 8_000] {
            errors.append(try outputs(4 / steps, steps, isDiscrete: true).subtracting(exact).largestMagnitude)
        }
        #expect(errors[0] < 1e-2 && abs(errors[0] / errors[1] - 2) < 0.02, "\(errors)")
    }

    @Test func statesDoNotDependOnTheTimesBetween() throws {
        let flow = CrossEntropyFlow(
            try kernel(6, seed: 3), initial: .random(6, 2, seed: 4), classes: [0, 1, 0, 1, 1, 0], rate: 1, isDiscrete: false, areOutputsApart: false)
        let many = try flow.states([0, 0.3, 0.9, 2, 2, 7], on: SerialTiles())
        let one = try flow.states([7], on: SerialTiles())
        let (left, right) = (try flow.outputs(many[5], on: SerialTiles()), try flow.outputs(one[0], on: SerialTiles()))
        #expect(left.subtracting(right).largestMagnitude < 1e-7)
        #expect(many[3].elements == many[4].elements)
    }

    @Test func whatTakesTooLongIsSaid() throws {
        let flow = CrossEntropyFlow(
            Matrix(rows: 1, columns: 1, [1]), initial: Matrix(rows: 1, columns: 2, [0, 0]), classes: [0], rate: 1, isDiscrete: true,
            areOutputsApart: false)
        #expect(throws: CrossEntropyError.tooLong(reached: Double(CrossEntropyFlow.mostProducts))) { try flow.states([1e9], on: SerialTiles()) }
    }
}
