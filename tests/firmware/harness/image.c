#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "image.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *target_of(request *from, const image *in)
{
    const uint32_t object = take_u32(from);
    const uint8_t bytes = take_u8(from);
    if (bytes == 0) {
        return in->objects[object];
    }
    char *const name = take_block(from, bytes);
    void *const function = dlsym(RTLD_DEFAULT, name);
    if (function == NULL) {
        fprintf(stderr, "harness: there is no function %s\n", name);
        abort();
    }
    free(name);
    return function;
}

image take_image(request *from)
{
    image made = {.count = take_u32(from)};
    made.objects = exact_block(made.count * sizeof *made.objects);
    for (uint32_t i = 0; i < made.count; i++) {
        const uint32_t bytes = take_u32(from);
        made.objects[i] = take_block(from, bytes);
    }
    const uint32_t pointers = take_u32(from);
    for (uint32_t i = 0; i < pointers; i++) {
        uint8_t *const object = made.objects[take_u32(from)];
        const uint32_t offset = take_u32(from);
        void *const target = target_of(from, &made);
        memcpy(object + offset, &target, sizeof target);
    }
    made.root = made.objects[take_u32(from)];
    return made;
}

void free_image(image *done)
{
    for (uint32_t i = 0; i < done->count; i++) {
        free(done->objects[i]);
    }
    free(done->objects);
}
