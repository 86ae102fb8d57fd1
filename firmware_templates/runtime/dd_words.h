/* Memory that is read and written a word at a time. */
#ifndef DD_WORDS_H
#define DD_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether two pointers are to whole words, which is asked where the core takes no others: there a
 * compiler calls a function to copy one from anywhere. */
static inline bool dd_in_words(const void *to, const void *from)
{
#if defined(__ARM_FEATURE_UNALIGNED)
    (void)to;
    (void)from;
    return true;
#else
    return ((uintptr_t)to | (uintptr_t)from) % sizeof(uint32_t) == 0;
#endif
}

#endif
