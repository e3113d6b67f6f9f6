// OpenBLAS: its C interface, and the LAPACK routines that Debian's package exports without a C header.
#pragma once
#include <cblas.h>

void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info);
void dpocon_(const char *uplo, const int *n, const double *a, const int *lda, const double *anorm, double *rcond, double *work, int *iwork,
             int *info);
void spocon_(const char *uplo, const int *n, const float *a, const int *lda, const float *anorm, float *rcond, float *work, int *iwork,
             int *info);
void dsytrd_(const char *uplo, const int *n, double *a, const int *lda, double *d, double *e, double *tau, double *work, const int *lwork,
             int *info);
void dlarfg_(const int *n, double *alpha, double *x, const int *incx, double *tau);
void dormtr_(const char *side, const char *uplo, const char *trans, const int *m, const int *n, const double *a, const int *lda,
             const double *tau, double *c, const int *ldc, double *work, const int *lwork, int *info);
void dstedc_(const char *compz, const int *n, double *d, double *e, double *z, const int *ldz, double *work, const int *lwork, int *iwork,
             const int *liwork, int *info);
void dsterf_(const int *n, double *d, double *e, int *info);
void dpstrf_(const char *uplo, const int *n, double *a, const int *lda, int *piv, int *rank, const double *tol, double *work, int *info);
void dgesvj_(const char *joba, const char *jobu, const char *jobv, const int *m, const int *n, double *a, const int *lda, double *sva,
             const int *mv, double *v, const int *ldv, double *work, const int *lwork, int *info);
void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work, const int *lwork, int *info);
void dorgqr_(const int *m, const int *n, const int *k, double *a, const int *lda, const double *tau, double *work, const int *lwork, int *info);
