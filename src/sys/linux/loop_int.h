/* What the bodies of this folder share. */
#pragma once

#include <uv.h>

#include "sys/loop.h"

uv_loop_t *loop_uv(struct loop *loop);
