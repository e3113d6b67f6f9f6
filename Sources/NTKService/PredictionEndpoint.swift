internal import ComputeExecutor
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Fits, predicts, and words the answer of `POST /v1/predictions`.
enum PredictionEndpoint {
    static func answer(_ request: PredictionRequest, tiles: any TileExecutor) throws -> JSONBody {
        do {
            return try compute(request, tiles)
        } catch let error as RegressionError {
            throw ProblemDetails(error)
        }
    }

    private static func compute(_ request: PredictionRequest, _ tiles: any TileExecutor) throws -> JSONBody {
        let kinds: Set = [request.kind]
        func matrix(_ x1: KeyPath<PredictionRequest, Matrix<Double>>, _ x2: KeyPath<PredictionRequest, Matrix<Double>>?) throws -> Matrix<Double> {
            do {
                let kernels = try request.kernel.matrices(
                    request[keyPath: x1], x2.map { request[keyPath: $0] }, kinds: kinds, as: Double.self, on: tiles)
                // The kind that was asked for is there.
                return kernels[request.kind] ?? Matrix(zeroRows: 0, columns: 0)
            } catch let error as KernelError {
                throw ProblemDetails(error, fields: (x1 == \.xTrain ? "x_train" : "x_test", "x_train"))
            }
        }
        let trainTrain = try matrix(\.xTrain, nil)
        let regression = try KernelRidgeRegression(
            kernel: trainTrain, targets: request.targets.matrix, ridge: absoluteRidge(request, trainTrain), on: tiles)
        let testTrain = try matrix(\.xTest, \.xTrain)
        let mean = try regression.mean(testTrain, on: tiles)
        guard mean.isFinite else { throw RegressionError.overflow }

        var body = JSONBody()
        body.append("{")
        try append(mean, request.targets, to: &body)
        switch request.covariance {
        case .none: break
        case .diagonal:
            let diagonal = try request.kernel.diagonals(request.xTest, kinds: kinds, as: Double.self, on: tiles)[request.kind] ?? []
            body.append("variance", try regression.variance(testTrain, diagonal: diagonal, on: tiles), isFirst: false)
        case .full:
            let covariance = try regression.covariance(testTrain, testTest: matrix(\.xTest, nil), on: tiles)
            body.append("covariance", covariance, isFirst: false)
        }
        body.append(",\"diagnostics\":\(try text(regression.diagnostics))}")
        return body
    }

    private static func absoluteRidge(_ request: PredictionRequest, _ kernel: Matrix<Double>) throws(ProblemDetails) -> Double {
        guard request.ridgeScale == .relative else { return request.ridge }
        var trace = 0.0
        for point in 0..<kernel.rows { trace += kernel[point, point] }
        let ridge = request.ridge * (trace / Double(kernel.rows))
        guard ridge.isFinite else { throw .invalid("/ridge", "a ridge expected whose product with the kernel's mean diagonal is finite") }
        return ridge
    }

    /// `mean` for regression; `labels`, `scores` and the `classes` that they stand for in classification.
    private static func append(_ mean: Matrix<Double>, _ targets: Targets, to body: inout JSONBody) throws {
        switch targets {
        case .values(_, let isVector):
            if isVector {
                body.append("mean", mean.elements, isFirst: true)
            } else {
                body.append("mean", mean, isFirst: true)
            }
        case .classes(let classes):
            body.append("\"labels\":\(text(classes.predict(mean))),\"classes\":\(text(classes.classes))")
            body.append("scores", mean, isFirst: false)
        }
    }

    private static func text(_ labels: [ClassTargets.Label]) -> String {
        var json = JSONWriter()
        json.beginArray()
        for label in labels {
            switch label {
            case .integer(let integer): json.value(integer)
            case .text(let text): json.value(text)
            }
        }
        json.endArray()
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private static func text(_ diagnostics: Diagnostics) throws -> String {
        var json = JSONWriter()
        json.beginObject()
        try json.member("ridge", diagnostics.ridge)
        try json.member("reciprocal_condition", diagnostics.reciprocalCondition)
        try json.member("relative_residual", diagnostics.relativeResidual)
        try json.member("log_marginal_likelihood", diagnostics.logMarginalLikelihood)
        try json.member("leave_one_out_error", diagnostics.leaveOneOutError)
        try json.member("rkhs_norm", diagnostics.rkhsNorm)
        try json.member("effective_dimension", diagnostics.effectiveDimension)
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
