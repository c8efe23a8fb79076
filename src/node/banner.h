/* What `ashlar dev` says when it is ready. */
#pragma once

#include <stdio.h>

#include "node/dev_options.h"

/* Silent: only the address, and only when the system chose the port. */
void banner_print(FILE *to, const struct dev *dev, const struct dev_command *command, u16 port);
