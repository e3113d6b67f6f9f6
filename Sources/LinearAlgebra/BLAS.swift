internal import COpenBLAS
internal import CSupport

/// OpenBLAS as this program uses it: by kernels that fit the processor, and one thread a call. Its own threads would compete with the tiles
/// for the cores, and would make the order of a sum depend on how many there are.
public enum BLAS {
    private static let prepared: Void = {
        ntk_choose_blas_kernels()
        openblas_set_num_threads(1)
    }()

    /// The kernels in use, by OpenBLAS's name for them.
    public static var kernels: String {
        prepare()
        return unsafe String(cString: ntk_blas_kernels())
    }

    /// Makes OpenBLAS ready, once. A program that starts threads had better do so before, as the environment is read and written.
    public static func prepare() { prepared }

    static func useCallingThreadOnly() { prepare() }
}
