#ifndef NTK_BLAS_KERNELS_H
#define NTK_BLAS_KERNELS_H

/// Has OpenBLAS choose its kernels again where it does not know the processor.
///
/// A processor that is newer than the library is taken for one without AVX ("Prescott"), which multiplies matrices at a quarter of the speed.
/// What the processor can do is asked instead, and the kernels of Skylake-X (AVX-512) or Haswell (AVX2) are taken. Nothing changes where
/// OPENBLAS_CORETYPE is set, where the library knows the processor, or where it has been built for one kind of processor.
/// To be called before any other function of OpenBLAS, by one thread.
void ntk_choose_blas_kernels(void);

/// The kernels in use, by the name that the library has for them; empty where it does not tell.
const char *ntk_blas_kernels(void);

#endif
