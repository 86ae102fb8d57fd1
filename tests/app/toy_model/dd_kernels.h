/* The toy has no kernels; the runtime wants a set all the same. */
#ifndef DD_KERNELS_H
#define DD_KERNELS_H

#define DD_KERNELS DD_KERNELS_LANES

#endif
