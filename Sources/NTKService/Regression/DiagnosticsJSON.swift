internal import NTK
internal import TensorFormats

/// The wording of diagnostics: what has no value, or one beyond the range of float64, is null.
enum DiagnosticsJSON {
    static func text(_ diagnostics: Diagnostics, _ calibration: ClassCalibration?) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.member("method", diagnostics.method.rawValue)
        json.number("ridge", diagnostics.ridge)
        json.integer("rank", diagnostics.rank)
        json.number("reciprocal_condition", diagnostics.reciprocalCondition)
        json.number("relative_residual", diagnostics.relativeResidual)
        json.number("unreachable_targets", diagnostics.unreachableTargets)
        json.member("duplicates_merged", diagnostics.duplicatesMerged)
        json.member("conflicting_duplicates", diagnostics.conflictingDuplicates)
        json.number("jitter", diagnostics.jitter)
        json.number("log_marginal_likelihood", diagnostics.logMarginalLikelihood)
        json.number("leave_one_out_error", diagnostics.leaveOneOutError)
        json.number("rkhs_norm", diagnostics.rkhsNorm)
        json.number("effective_dimension", diagnostics.effectiveDimension)
        if let variances = diagnostics.signalVariances { json.numbers("signal_variances", variances) }
        if !diagnostics.warnings.isEmpty {
            json.key("warnings")
            json.beginArray()
            for warning in diagnostics.warnings { json.value(warning) }
            json.endArray()
        }
        if let iterations = diagnostics.iterations { json.member("iterations", iterations) }
        if let rank = diagnostics.preconditionerRank { json.member("preconditioner_rank", rank) }
        if let selection = diagnostics.selection { write(selection, to: &json) }
        if let calibration { write(calibration, to: &json) }
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private static func write(_ selection: RidgeSelection, to json: inout JSONWriter) {
        json.key("selection")
        json.beginObject()
        json.member("criterion", selection.criterion.rawValue)
        json.numbers("candidates", selection.candidates)
        json.numbers("values", selection.values)
        json.endObject()
    }

    private static func write(_ calibration: ClassCalibration, to json: inout JSONWriter) {
        json.key("calibration")
        json.beginObject()
        json.number("leave_one_out_accuracy", calibration.accuracy)
        json.number("inverse_temperature", calibration.inverseTemperature)
        json.number("log_loss", calibration.logLoss)
        json.number("expected_calibration_error", calibration.expectedCalibrationError)
        json.endObject()
    }
}

extension JSONWriter {
    /// A number; null if there is none, or it is not finite.
    mutating func number(_ name: String, _ value: Double?) {
        key(name)
        nullable(value)
    }

    mutating func integer(_ name: String, _ value: Int?) {
        key(name)
        if let value { self.value(value) } else { null() }
    }

    mutating func numbers(_ name: String, _ values: [Double?]) {
        key(name)
        list(values)
    }

    /// A list of numbers, null where there is none.
    mutating func list(_ values: [Double?]) {
        beginArray()
        for value in values { nullable(value) }
        endArray()
    }

    mutating func list(_ values: [Int]) {
        beginArray()
        for value in values { self.value(value) }
        endArray()
    }

    mutating func nullable(_ number: Double?) {
        guard let number, number.isFinite, (try? value(number)) != nil else { return null() }
    }
}
