/* The command line says which kernel set is built; else the one for any core. */
#ifndef DD_KERNELS_H
#define DD_KERNELS_H

#if !defined(DD_KERNELS)
#define DD_KERNELS DD_KERNELS_LANES
#endif

#define DD_INPUTS_MAX 16

#endif
