package import Activations

/// An activation with its dual.
package struct ActivationStep: Sendable {
    package let activation: Activation
    package let dual: DualActivation

    package init(_ activation: Activation) throws(ArchitectureError) {
        self.activation = activation
        dual = try DualActivation(activation)
    }
}
