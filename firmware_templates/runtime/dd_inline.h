/* Where inlining is not left to the compiler. */
#ifndef DD_INLINE_H
#define DD_INLINE_H

/* DD_NEVER_INLINE and, where it is hardly ever called, DD_RARE: what is rare stays out of the way
 * of what is not. */
#if defined(__GNUC__)
#define DD_ALWAYS_INLINE __attribute__((always_inline))
#define DD_NEVER_INLINE  __attribute__((noinline))
#define DD_RARE          __attribute__((noinline, cold))
#else
#define DD_ALWAYS_INLINE
#define DD_NEVER_INLINE
#define DD_RARE
#endif

#endif
