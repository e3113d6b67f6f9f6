public import LinearAlgebra

extension KernelSpectrum {
    /// What a spectrum of order n costs beside the kernel, with targets of `columns` columns (0: none) and so many sizes of samples.
    public static func work(order n: Int, columns k: Int, sampleSizes: Int) -> Work {
        var work = Work.eigenvectors(n) + Work.pass(n, n) * 2 + Work(.formulas, 30 * Double(n)).onOneThread
        guard k > 0 else { return work }
        work += Work.product(n, n, k) + Work(.formulas, Double(n) * Double(k) * Double(k + 4)).onOneThread
        // A bisection of some hundred halvings.
        return work + Work(.formulas, 150 * 2 * Double(n) * Double(sampleSizes)).onOneThread
    }
}
