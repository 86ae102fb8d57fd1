/* The runtime that generated models call. */
#ifndef DD_RUNTIME_H
#define DD_RUNTIME_H

/* Raised whenever sources that were generated before would no longer compile or run right. */
#define DD_RUNTIME_ABI 6

#include "dd_add_s8.h"
#include "dd_add_stepwise_s8.h"
#include "dd_average_pool_s8.h"
#include "dd_cobs.h"
#include "dd_codec.h"
#include "dd_concatenation_s8.h"
#include "dd_conv1d_general_s8.h"
#include "dd_conv1d_s8.h"
#include "dd_copy_s8.h"
#include "dd_crc32.h"
#include "dd_decision.h"
#include "dd_depthwise_s8.h"
#include "dd_extreme_s8.h"
#include "dd_fully_connected_s8.h"
#include "dd_input_map.h"
#include "dd_layer.h"
#include "dd_lookup_s8.h"
#include "dd_max_pool_s8.h"
#include "dd_maximum_s8.h"
#include "dd_mean_s8.h"
#include "dd_mirror_pad_s8.h"
#include "dd_move_s8.h"
#include "dd_mul_s8.h"
#include "dd_net.h"
#include "dd_packet.h"
#include "dd_prelu_s8.h"
#include "dd_push.h"
#include "dd_quantize.h"
#include "dd_reshape_s8.h"
#include "dd_rice.h"
#include "dd_running_extreme_s8.h"
#include "dd_running_mean_s8.h"
#include "dd_softmax_s8.h"
#include "dd_status.h"
#include "dd_trace.h"
#include "dd_transpose_conv_s8.h"
#include "dd_transpose_s8.h"

#endif
