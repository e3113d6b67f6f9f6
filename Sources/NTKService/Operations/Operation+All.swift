extension Operation {
    /// Everything that can be asked for, in the order of the document.
    static let all: [Operation] =
        [layers, kernels, predictions] + ofNetworks + [empiricalKernels, networkOutputs, gradientFeatures, convergence, dynamics, spectra]
        + [attributions, posteriors, kernelEvolutions, trainings] + ofRegressors + ofJobs + inference + health + documents + problems
}
