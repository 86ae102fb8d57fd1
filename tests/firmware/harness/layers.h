/* A layer of a request. */
#ifndef LAYERS_H
#define LAYERS_H

#include "dd_runtime.h"
#include "wire.h"

typedef struct layer_request {
    dd_conv1d layer;
    dd_call call;
    void *blocks[5]; /* its arrays, each in memory of exactly its size */
} layer_request;

void take_layer(request *from, layer_request *to);
void free_layer(layer_request *done);

#endif
