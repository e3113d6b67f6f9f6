internal import ArtifactStore
internal import FoundationEssentials
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// A regressor as files: `manifest.json`, and `tensors.safetensors` with the training set and the coefficients.
enum RegressorFile {
    /// Goes into the ids.
    static let version = 1
    /// Of the files: those of the first had no checksums.
    private static let fileVersion = 2
    static let manifest = "manifest.json"
    static let tensors = "tensors.safetensors"
    /// Where the kernel is that of a network from a model file.
    static let model = "model.onnx"

    static func files(_ fit: FittedRegression, _ settings: FitSettings, id: ArtifactID) -> [ArtifactFile] {
        let record = fit.training.record
        let diagnostics = fit.regression.diagnostics
        var json = JSONWriter()
        json.beginObject()
        json.member("format", "ntk-server regressor")
        json.member("version", fileVersion)
        json.member("id", id.description)
        json.member("created_at", Date.now.formatted(.iso8601))
        json.key("training")
        json.beginObject()
        for member in record.members {
            json.key(member.name)
            json.raw(Array(member.json.utf8))
        }
        json.endObject()
        json.key("settings")
        json.raw(Array(settings.canonicalText.utf8))
        json.member("posterior", fit.posterior.rawValue)
        var all = record.tensors
        switch fit.targets {
        case .values(let matrix, let isVector):
            json.key("is_vector")
            json.value(isVector)
            all.append(("y_train", [matrix.rows, matrix.columns], matrix))
        case .classes(let classes):
            json.key("classes")
            json.raw(Array(ClassTargets.text(classes.classes).utf8))
            all.append(("class_indices", [classes.indices.count, 1], classes.indexMatrix))
        }
        json.key("diagnostics")
        json.raw(Array(DiagnosticsJSON.text(diagnostics, fit.calibration).utf8))
        json.endObject()
        let coefficients = fit.regression.scaledCoefficients
        all.append(("coefficients", [coefficients.matrix.rows, coefficients.matrix.columns], coefficients.matrix))
        if let units = coefficients.units {
            // Powers of two.
            for (name, exponents) in [("coefficient_row_units", units.rows), ("coefficient_column_units", units.columns)] {
                all.append((name, [exponents.count, 1], Matrix(rows: exponents.count, columns: 1, exponents.map { Double($0) })))
            }
        }
        let bytes = json.bytes
        let files = [ArtifactFile(manifest) { try $0.write(bytes) }, TensorFile.file(tensors, all)]
        guard let file = record.model else { return files }
        return files + [
            ArtifactFile(model) { writer in
                try unsafe file.bytes.withUnsafeBytes { try unsafe writer.write(UnsafeRawBufferPointer(rebasing: $0[file.range]).bytes) }
            }
        ]
    }

    /// A regressor from its files.
    /// - Parameter model: opens the model file, where the kernel is that of one.
    static func read(
        _ id: ArtifactID, manifest bytes: [UInt8], tensors file: FileReader, model: () throws -> FileReader?
    ) throws -> Regressor {
        guard let object = object(bytes), case .object(let training) = object["training"], case .object(let diagnostics) = object["diagnostics"],
            let entries = try TensorFile.header(file), isWhole(object, file)
        else { throw ProblemDetails.damagedRecord(id.description) }
        // One after another: the bytes of one are there beside its numbers.
        let tensors = try Dictionary(uniqueKeysWithValues: entries.map { ($0.name, try TensorFile.read($0, from: file)) })
        guard let coefficients = try coefficients(tensors, id) else { throw ProblemDetails.damagedRecord(id.description) }
        var reader = try ObjectReader(.object(object), at: "")
        let posterior: Posterior = try reader.requiredChoice("posterior")
        let targets = try targets(object, tensors, id)
        var settingsReader = try ObjectReader(object["settings"] ?? .null, at: "/settings")
        let settings = try FitSettings(&settingsReader)
        let content = try hasModel(entries) ? model().map { FileContent(bytes: try $0.read(0..<$0.count), range: 0..<$0.count) } : nil
        let kernel = try TrainingKernels.restore(training, tensors: tensors, model: content)
        let groups = kernel.duplicates()
        guard groups.groupCount == coefficients.matrix.rows, targets.matrix.rows == kernel.count,
            coefficients.matrix.columns == (kernel.outputs == nil ? targets.matrix.columns : 1),
            case .string(let name) = diagnostics["method"], let method = Diagnostics.Method(rawValue: name),
            case .number(let ridge) = diagnostics["ridge"], case .number(let residual) = diagnostics["relative_residual"]
        else { throw ProblemDetails.damagedRecord(id.description) }
        let regression = KernelRidgeRegression(
            coefficients: coefficients, groups: groups,
            diagnostics: Diagnostics(
                method: method, ridge: ridge.value, relativeResidual: residual.value, duplicatesMerged: groups.mergedCount))
        let fit = FittedRegression(
            training: kernel, targets: targets, posterior: posterior, regression: regression, calibration: calibration(diagnostics))
        return Regressor(id: id, fit: fit, settings: settings, description: description(object, nTrain: kernel.count))
    }

    /// Whether the kernel is that of a network from a file, by the names under which its points are stored.
    static func hasModel(_ entries: [TensorFile.Entry]) -> Bool { entries.contains { $0.name.hasPrefix(ModelTrainingSet.prefix) } }

    private static func coefficients(_ tensors: [String: PointTensor], _ id: ArtifactID) throws(ProblemDetails) -> ScaledCoefficients? {
        guard let matrix = tensors["coefficients"]?.values else { return nil }
        func units(_ name: String, count: Int) throws(ProblemDetails) -> [Int]? {
            guard let values = tensors[name]?.values.elements else { return nil }
            let exponents = values.compactMap { Int(exactly: $0) }.filter { (-10_000...10_000).contains($0) }
            guard exponents.count == count, values.count == count else { throw .damagedRecord(id.description) }
            return exponents
        }
        guard let rows = try units("coefficient_row_units", count: matrix.rows),
            let columns = try units("coefficient_column_units", count: matrix.columns)
        else { return ScaledCoefficients(matrix) }
        return ScaledCoefficients(matrix, units: (rows, columns))
    }

    /// What `GET` answers, from the manifest and the shape of the targets.
    static func description(_ id: ArtifactID, manifest bytes: [UInt8], tensors file: FileReader) throws -> String {
        guard let object = object(bytes), let entries = try TensorFile.header(file), isWhole(object, file),
            let nTrain = entries.first(where: { $0.name == (object["classes"] == nil ? "y_train" : "class_indices") })?.shape.first
        else { throw ProblemDetails.damagedRecord(id.description) }
        return description(object, nTrain: nTrain)
    }

    /// Whether checksums are there, where they were written.
    private static func isWhole(_ manifest: JSONObject, _ file: FileReader) -> Bool { file.isChecked || hasNoChecksums(manifest) }

    private static func hasNoChecksums(_ manifest: JSONObject) -> Bool {
        if case .number(let version)? = manifest["version"] { version.integer == 1 } else { false }
    }

    /// What `GET` answers, from a manifest and the number of training points.
    private static func description(_ manifest: JSONObject, nTrain: Int) -> String {
        var json = JSONWriter()
        json.beginObject()
        for field in ["id", "created_at"] { write(field, of: manifest, to: &json) }
        json.member("n_train", nTrain)
        json.key("kernel")
        json.beginObject()
        if case .object(let training)? = manifest["training"] {
            for (key, value) in training.members {
                json.key(key)
                value.write(to: &json)
            }
        }
        json.endObject()
        if hasNoChecksums(manifest) {
            json.key("unchecked")
            json.value(true)
        }
        for field in ["posterior", "settings", "classes", "diagnostics"] where manifest[field] != nil { write(field, of: manifest, to: &json) }
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private static func write(_ field: String, of object: JSONObject, to json: inout JSONWriter) {
        json.key(field)
        (object[field] ?? .null).write(to: &json)
    }

    private static func object(_ bytes: [UInt8]) -> JSONObject? {
        guard let value = try? JSONValue.parse(bytes), case .object(let object) = value else { return nil }
        return object
    }

    private static func targets(_ object: JSONObject, _ tensors: [String: PointTensor], _ id: ArtifactID) throws(ProblemDetails) -> Targets {
        if let classes = object["classes"] {
            let labels = try ClassTargets.labels(classes, at: "/classes")
            guard let indices = tensors["class_indices"]?.values.elements.map({ Int(exactly: $0) ?? -1 }),
                indices.allSatisfy({ labels.indices.contains($0) })
            else { throw .damagedRecord(id.description) }
            return .classes(ClassTargets(classes: labels, indices: indices))
        }
        guard let matrix = tensors["y_train"]?.values, case .bool(let isVector)? = object["is_vector"] else { throw .damagedRecord(id.description) }
        return .values(matrix, isVector: isVector)
    }

    private static func calibration(_ diagnostics: JSONObject) -> ClassCalibration? {
        guard case .object(let object)? = diagnostics["calibration"] else { return nil }
        func number(_ name: String) -> Double {
            if case .number(let number)? = object[name] { number.value } else { 0 }
        }
        return ClassCalibration(
            inverseTemperature: number("inverse_temperature"), accuracy: number("leave_one_out_accuracy"), logLoss: number("log_loss"),
            expectedCalibrationError: number("expected_calibration_error"))
    }
}
