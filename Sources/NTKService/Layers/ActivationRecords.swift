internal import NTK
internal import TensorFormats

/// The activations, in the order of the document.
enum ActivationRecords {
    static let all: [LayerRecord<Activation>] = closedForms + polynomials + numerical

    private static let degrees = 0...30
    private static let (a, c) = (Field.number("a", default: 1, "A factor."), Field.number("c", default: 0, "A summand."))
    private static let inner = Field.number("b", default: 1, "A factor of x.")
    private static let degree = Field.requiredInteger("degree", in: degrees, "The degree.")
    private static let gamma = LayerField(FieldDescription(name: "gamma", form: .number, standard: .number(1), words: "Not negative.")) {
        reader throws(ProblemDetails) in
        let gamma = try reader.number("gamma", default: 1)
        guard gamma >= 0 else { throw .invalid(reader.pointer(to: "gamma"), "a number that is not negative expected; \(gamma) came") }
        return gamma
    }

    private static func plain(_ name: String, _ words: String, _ activation: Activation) -> LayerRecord<Activation> {
        LayerRecord(name, .activation, words) { activation }
    }

    /// Their kernels are closed forms.
    private static let closedForms: [LayerRecord<Activation>] = [
        plain("relu", "max(x, 0)", .relu),
        LayerRecord("leaky_relu", .activation, "x for x > 0, else alpha·x", Field.number("alpha", default: 0.01, "The slope below 0.")) {
            .abRelu(a: $0, b: 1)
        },
        LayerRecord(
            "ab_relu", .activation, "a·min(x, 0) + b·max(x, 0)", Field.requiredNumber("a", "The slope below 0."),
            Field.requiredNumber("b", "The slope above 0.")
        ) { .abRelu(a: $0, b: $1) },
        plain("abs", "|x|", .abRelu(a: -1, b: 1)),
        plain("sign", "-1, 0 or 1; its derivative is 0", .sign),
        LayerRecord("erf", .activation, "a·erf(b·x) + c", a, inner, c) { .erf(a: $0, b: $1, c: $2) },
        plain(
            "sigmoid_like", "½·erf(x/2.4020563531719796) + ½, close to the logistic sigmoid", .erf(a: 0.5, b: 1 / 2.4020563531719796, c: 0.5)),
        LayerRecord(
            "gelu", .activation, "x·Φ(x)",
            Field.boolean(
                "approximate", default: false,
                "Whether a finite network uses the approximation with tanh; the analytic kernel is always that of the exact gelu.")
        ) { .gelu(approximate: $0) },
        LayerRecord("sin", .activation, "a·sin(b·x + c)", a, inner, c) { .sin(a: $0, b: $1, c: $2) },
        LayerRecord("cos", .activation, "a·cos(b·x + c)", a, inner, c) { .cos(a: $0, b: $1, c: $2) },
        LayerRecord("rbf", .activation, "√2·sin(√(2·gamma)·x + π/4), whose kernel is exp(-gamma·|x - x'|²)", gamma) { .rbf(gamma: $0) },
        LayerRecord("exp", .activation, "a·exp(b·x)", a, inner) { .exp(a: $0, b: $1) },
        LayerRecord(
            "exp_normalized", .activation, "The kernel √(K11·K22)·exp(gamma·(cosine + shift)), which belongs to no activation",
            Field.number("gamma", default: 1, "A factor."), Field.number("shift", default: -1, "Added to the cosine.")
        ) { .expNormalized(gamma: $0, shift: $1) },
        LayerRecord("gaussian", .activation, "a·exp(b·x²)", a, Field.number("b", default: -1, "A factor of x².")) { .gaussian(a: $0, b: $1) },
        plain("gabor", "exp(-x²)·sin(x)", .gabor),
    ]

    private static let polynomials: [LayerRecord<Activation>] = [
        LayerRecord(
            "hermite", .activation, "The normalized Hermite polynomial; its input must have unit variance, as after layer_norm", degree
        ) { .hermite(degree: $0) },
        LayerRecord("monomial", .activation, "x^degree", degree) { .monomial(degree: $0) },
        LayerRecord("rectified_monomial", .activation, "max(x, 0)^degree", degree) { .rectifiedMonomial(degree: $0) },
        LayerRecord("polynomial", .activation, "Σ coefficients[i]·x^i", coefficients) { .polynomial($0) },
    ]

    private static let coefficients = LayerField(
        FieldDescription(name: "coefficients", form: .array, isRequired: true, words: "1 to 31 numbers, the constant first.")
    ) { reader throws(ProblemDetails) -> [Double] in
        let array = try reader.array("coefficients", "a list of coefficients, the constant first,")
        guard array.shape.count == 1, degrees.contains(array.shape[0] - 1), !array.hasNulls else {
            throw .invalid(reader.pointer(to: "coefficients"), "a list of 1 to \(degrees.upperBound + 1) numbers expected, the constant first")
        }
        return Array(array.elements)
    }

    /// Beyond neural-tangents: their kernels are quadratures.
    private static let numerical: [LayerRecord<Activation>] = [
        plain("tanh", "tanh(x), by quadrature", .tanh),
        plain("sigmoid", "1/(1 + exp(-x)), by quadrature", .sigmoid),
        plain("softplus", "log(1 + exp(x)), by quadrature", .softplus),
        plain("swish", "x·sigmoid(x), by quadrature", .swish),
        LayerRecord(
            "elu", .activation, "x for x > 0, else alpha·(exp(x) - 1), by quadrature",
            Field.number("alpha", default: 1, "Minus the limit for x → −∞.")
        ) { .elu(alpha: $0, scale: 1) },
        plain("selu", "The self-normalizing elu, by quadrature", .selu),
        plain("mish", "x·tanh(softplus(x)), by quadrature", .mish),
        plain("hard_swish", "x·min(max(x/6 + ½, 0), 1), by quadrature", .hardSwish),
        LayerRecord("elementwise", .activation, "A function given as an expression, by quadrature.", expression) { .elementwise($0) },
    ]

    private static let expression = LayerField(
        FieldDescription(
            name: "expression", form: .text, isRequired: true,
            words: "An expression in x of + - * / ^, parentheses, numbers, pi, e, exp, log, tanh, sin, cos, sqrt, abs, erf, max and min.")
    ) { reader throws(ProblemDetails) -> Expression in
        let value = try reader.required("expression", "a function of x such as \"x*tanh(x)\"")
        let pointer = reader.pointer(to: "expression")
        guard case .string(let text) = value else { throw .invalid(pointer, "a text expected; \(value.kindName) came") }
        do throws(ExpressionError) {
            return try Expression(text)
        } catch {
            throw .invalid(pointer, "column \(error.column): \(error.detail)")
        }
    }
}
