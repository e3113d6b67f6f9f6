import LinearAlgebra
import NTK

// The kernels of a small convolutional network on two "images" of 3 × 3 pixels, without any server.
let convolution = Layer.convolution(Convolution(filterShape: [3, 3], padding: .same, affine: Affine(weightStd: 1.41, biasStd: 0.1)))
let network = Layer.serial([convolution, .relu, convolution, .activation(.gelu(approximate: false)), .globalPool(.average), .dense(Affine())])
let images = Matrix<Double>(rows: 2, columns: 9, [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0])
let kernels = try AnalyticKernel(network, shape: [3, 3, 1]).matrices(images, kinds: [.nngp, .ntk], as: Double.self)
if let ntk = kernels.ntk, let nngp = kernels.nngp { print("NTK  \(ntk.elements)\nNNGP \(nngp.elements)") }
