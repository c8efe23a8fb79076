/* JSON values compared by what they mean: members in any order. */
#pragma once

#include "base/status.h"
#include "prim/json.h"

/* What does not count as a difference. */
struct json_leniency {
    bool missing_is_zero;       /* a member that is not there, and one that is zero or empty */
    const char *const *ignored; /* members of any object, NULL-terminated; may be NULL */
};

/* False, with the place and both values in *why, when got is not what want is. leniency may be NULL. */
bool json_same(json got, json want, const struct json_leniency *leniency, struct err *why);
