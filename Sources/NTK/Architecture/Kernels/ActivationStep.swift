/// An activation with its dual.
struct ActivationStep: Sendable {
    let activation: Activation
    let dual: DualActivation

    init(_ activation: Activation) throws(ArchitectureError) {
        self.activation = activation
        dual = try DualActivation(activation)
    }
}
