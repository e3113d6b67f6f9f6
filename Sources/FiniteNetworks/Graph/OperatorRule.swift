/// An operator of ONNX: the forms that it reads, and the operations that it becomes. One file each in `Operators`, and one line here.
protocol OperatorRule: Sendable {
    /// Names in the default domain.
    var operators: [String] { get }

    /// Adds the node to the graph.
    /// - Returns: the wires of its outputs; outputs that the graph does not name may be left out at the end.
    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire]
}

enum OperatorRules {
    /// In the order of the documentation.
    static let all: [any OperatorRule] = [
        MatMulRule(), GemmRule(), ConvRule(), ConvTransposeRule(),
        BinaryRule(), VariadicRule(), ComparisonRule(), NotRule(), WhereRule(), UnaryRule(), ClipRule(), PReluRule(),
        BatchNormalizationRule(), LayerNormalizationRule(), InstanceNormalizationRule(), SoftmaxRule(),
        MaxPoolRule(), AveragePoolRule(), LpPoolRule(), GlobalPoolRule(), ReductionRule(),
        ReshapeRule(), TransposeRule(), SliceRule(), SplitRule(), ConcatRule(), ExpandRule(), PadRule(), TileRule(),
        GatherRule(), GatherElementsRule(), GatherNDRule(), CumSumRule(), TopKRule(), ReverseSequenceRule(), CompressRule(),
        ScatterRule(), ResizeRule(), GridSampleRule(), AffineGridRule(), DepthRule(), FoldRule(),
        EinsumRule(), AttentionRule(), RotaryRule(), CompositeRule(),
        CastRule(), DequantizeRule(), ConstantRule(), ShapeRule(), RangeRule(), IdentityRule(), SequenceRule(), RecurrentRule(), ControlRule(),
        ScanRule(),
    ]

    static let byName: [String: any OperatorRule] = {
        var result: [String: any OperatorRule] = [:]
        for rule in all { for name in rule.operators { result[name] = rule } }
        return result
    }()

    /// Names of all operators that are served.
    static let names: [String] = byName.keys.sorted()
}
