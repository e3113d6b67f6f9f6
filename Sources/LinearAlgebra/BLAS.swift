internal import COpenBLAS

/// OpenBLAS as this program uses it: one thread a call. Its own threads would compete with the tiles for the cores, and would make the
/// order of a sum depend on how many there are.
enum BLAS {
    private static let singleThreaded: Void = openblas_set_num_threads(1)

    static func useCallingThreadOnly() {
        singleThreaded
    }
}
