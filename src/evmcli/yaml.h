/* YAML read as JSON, through libyaml: for test vectors that are plain data. No anchors, no tags. */
#pragma once

#include "base/status.h"
#include "prim/json.h"

/* Plain null, true, false and whole numbers are those; every other scalar is a string. */
MUST_READ enum status yaml_parse(struct json_doc **doc, const char *text, size_t len,
                                 struct err *err);
