internal import ArtifactStore
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// What the Open Inference Protocol v2 says of the server and of a regressor.
enum KServe {
    /// A regressor never changes: there is one version of it.
    static let version = "1"

    static func server() -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("name", "ntk-server")
        json.member("version", NTKService.version)
        json.key("extensions")
        json.beginArray()
        for name in ["binary_tensor_data", "statistics"] { json.value(name) }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    static func model(_ regressor: Regressor) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("name", regressor.id.description)
        json.key("versions")
        json.beginArray()
        json.value(version)
        json.endArray()
        json.member("platform", "ntk_regressor")
        json.key("inputs")
        json.beginArray()
        for (name, shape) in inputs(regressor) { tensor(name, "FP64", shape, &json) }
        json.endArray()
        json.key("outputs")
        json.beginArray()
        for (name, datatype, shape) in outputs(regressor) { tensor(name, datatype, shape, &json) }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    /// Names and shapes as a prediction of `/v1` has them; −1 stands for the number of points.
    private static func inputs(_ regressor: Regressor) -> [(name: String, shape: [Int])] {
        let tensors = regressor.fit.training.record.tensors
        guard let x = tensors.first(where: { $0.name == "x_train" }) else { return [("test_train", [-1, regressor.fit.training.count])] }
        return [("x", [-1] + x.shape.dropFirst())]
    }

    static func outputs(_ regressor: Regressor) -> [(name: String, datatype: String, shape: [Int])] {
        let columns = regressor.fit.targets.matrix.columns
        var outputs: [(name: String, datatype: String, shape: [Int])]
        switch regressor.fit.targets {
        case .values(_, let isVector): outputs = [("mean", "FP64", isVector ? [-1] : [-1, columns])]
        case .classes(let classes):
            outputs = [("labels", classes.areIntegers ? "INT64" : "BYTES", [-1]), ("scores", "FP64", [-1, columns])]
            if regressor.fit.calibration != nil { outputs.append(("probabilities", "FP64", [-1, columns])) }
        }
        if regressor.fit.regression.diagnostics.method != .conjugateGradient {
            let isByOutput = regressor.fit.training.outputs != nil && !regressor.fit.isVector
            outputs.append(("variance", "FP64", isByOutput ? [-1, columns] : [-1]))
        }
        return outputs
    }

    private static func tensor(_ name: String, _ datatype: String, _ shape: [Int], _ json: inout JSONWriter) {
        json.beginObject()
        json.member("name", name)
        json.member("datatype", datatype)
        json.key("shape")
        json.beginArray()
        for extent in shape { json.value(extent) }
        json.endArray()
        json.endObject()
    }
}

extension ClassTargets {
    var areIntegers: Bool {
        classes.allSatisfy { if case .integer = $0 { true } else { false } }
    }
}
