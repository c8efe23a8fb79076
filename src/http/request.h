/* Small pure questions about one request's headers. Private to the room. */
#pragma once

#include "base/types.h"

/* Is host (a Host header, with or without port) an IP address, localhost, or in the list of names? */
bool http_host_is_allowed(const char *host, const char *names);

/* Is the origin in the comma-separated list, or the list "*"? */
bool http_origin_is_allowed(const char *origin, const char *origins);

/* Media types that browsers do not send across origins without asking: application/json and its like; also none. */
bool http_content_type_is_json(const char *type);
