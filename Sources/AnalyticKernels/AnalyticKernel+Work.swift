import Activations
import Architecture
public import LinearAlgebra
import SpatialKernels

/// What a kernel costs, worked out once. `make estimate-campaign` holds it against the time that is taken.
struct KernelWork: Sendable {
    /// A pair of points, in both precisions.
    let float64, float32: Work
    /// A point before any pair: its normalization, and its variance at every layer.
    let point: Work
    /// What there is to do however few points there are.
    let starting: Work

    init(_ program: KernelProgram, _ spatial: SpatialKernel?, features: Int) {
        let calls = Work(.calls, 5 + 0.5 * Double(program.instructions.count)).onOneThread
        if let spatial {
            (float64, float32) = (spatial.pairWork(isFloat32: false), spatial.pairWork(isFloat32: true))
            (point, starting) = (spatial.pointWork, calls + spatial.startingWork)
            return
        }
        func pair(_ size: Double) -> Work {
            program.instructions.reduce(Work(.products, 2 * Double(features) * size) + Work(.loops, 30 * size)) {
                $0 + $1.operation.vectorPairWork(inputs: $1.inputs.count, size: size)
            }
        }
        (float64, float32, starting) = (pair(1), pair(0.5), calls)
        point = program.instructions.reduce(Work(.loops, 20 * Double(features)) + Work(.memory, 32 * Double(features))) { sum, instruction in
            var own = Work(.formulas, 10 + 10 * Double(instruction.inputs.count))
            if case .activation(let step) = instruction.operation {
                switch step.activation {
                case .abRelu: break
                case .erf: own += Work(.formulas, 150)
                default: own += step.dual.pointWork
                }
            }
            return sum + own.onOneThread
        }
    }
}

extension AnalyticKernel {
    /// `matrices` between n1 points and n2, or among n1.
    public func work(_ n1: Int, _ n2: Int? = nil, isFloat32: Bool = false, kinds: Int = 1) -> Work {
        let pairs = Double(n1) * (n2.map(Double.init) ?? (Double(n1) + 1) / 2)
        let points = Double(n1) + Double(n2 ?? 0)
        let results = Double(n1) * Double(n2 ?? n1) * (isFloat32 ? 4 : 8) * Double(kinds)
        return costs.starting + (isFloat32 ? costs.float32 : costs.float64) * pairs + costs.point * points + Work(.memory, 2 * results)
    }

    /// `diagonals` of so many points.
    public func diagonalWork(_ points: Int) -> Work {
        costs.starting + (spatial == nil ? costs.point : costs.float64 + costs.point) * points
    }

    /// Operations that take as long as a pair of points does, for who divides kernels into blocks.
    public var operationsPerPair: Int { max(1, Int(min(costs.float64.equivalentOperations, 0x1p62))) }
}

extension KernelProgram.Operation {
    /// On one pair of points that are vectors, both planes of it.
    func vectorPairWork(inputs: Int, size: Double) -> Work {
        switch self {
        case .affine(let step): Work(.loops, (step.bias > 0 ? 40 : 8) * size)
        case .activation(let step):
            switch step.activation {
            case .abRelu: Work(.loops, 30 * size)
            case .erf: Work(.loops, 60 * size)
            default: step.dual.pairWork
            }
        case .product, .sum, .concatenateChannels: Work(.formulas, 4 * Double(inputs))
        case .layerNorm, .dropout: Work(.formulas, 1)
        default: Work(.formulas, 4)
        }
    }
}
