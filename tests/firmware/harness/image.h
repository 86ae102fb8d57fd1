/* Constant data of any structs, as a request describes it. */
#ifndef IMAGE_H
#define IMAGE_H

#include "wire.h"

typedef struct image {
    uint32_t count;
    void **objects; /* each in memory of exactly its size */
    const void *root;
} image;

/* Objects, then the pointers in them: to other objects, or to functions of this program by name;
 * then which object points at all others. */
image take_image(request *from);
void free_image(image *done);

#endif
