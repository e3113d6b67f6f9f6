extension Operation {
    /// Everything that can be asked for, in the order of the document.
    static let all: [Operation] =
        [layers, kernels, predictions] + ofNetworks
        + [empiricalKernels, networkOutputs, gradientFeatures, convergence, finiteWidth, dynamics, spectra, learningCurves]
        + [attributions, posteriors, kernelEvolutions, trainings] + ofRegressors + ofJobs + inference + health + documents + problems
}
