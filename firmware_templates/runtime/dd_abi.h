/* The version of what generated sources call. */
#ifndef DD_ABI_H
#define DD_ABI_H

/* Raised whenever sources that were generated before would no longer compile or run right. */
#define DD_RUNTIME_ABI 7

#endif
