#include "evmcli/jsoncmp.h"

#include <stdio.h>
#include <string.h>

enum { PLACE_MAX = 200 };

struct place {
    char text[PLACE_MAX];
    const struct json_leniency *leniency;
    struct err *why;
};

static void describe(char *out, size_t size, json value)
{
    u64 number;
    bool flag;
    if (json_text(value))
        snprintf(out, size, "\"%.120s\"", json_text(value));
    else if (json_u64(value, &number))
        snprintf(out, size, "%llu", (unsigned long long)number);
    else if (json_bool(value, &flag))
        snprintf(out, size, "%s", flag ? "true" : "false");
    else
        snprintf(out, size, "%s", json_kind_name(json_kind(value)));
}

static bool differs(struct place *place, json got, json want)
{
    char a[160], b[160];
    describe(a, sizeof a, got);
    describe(b, sizeof b, want);
    err_set(place->why, STATUS_INVALID, "%s is %s, not %s", *place->text ? place->text : "it", a,
            b);
    return false;
}

static bool same(struct place *place, json got, json want);

static bool same_member(struct place *place, const char *key, json got, json want)
{
    size_t len = strlen(place->text);
    snprintf(place->text + len, PLACE_MAX - len, ".%s", key);
    bool ok = same(place, got, want);
    place->text[len] = 0;
    return ok;
}

static bool is_ignored(const struct place *place, const char *key)
{
    const char *const *ignored = place->leniency ? place->leniency->ignored : NULL;
    for (; ignored && *ignored; ignored++)
        if (strcmp(*ignored, key) == 0)
            return true;
    return false;
}

/* "", "0x", "0x000", 0, {}, null, and what is not there. */
static bool is_zero(json value)
{
    u64 number;
    const char *text = json_text(value);
    if (text) {
        text += strncmp(text, "0x", 2) == 0 ? 2 : 0;
        return text[strspn(text, "0")] == 0;
    }
    if (json_u64(value, &number))
        return number == 0;
    return json_count(value) == 0 && json_kind(value) != JSON_KIND_BOOL;
}

static bool same_object(struct place *place, json got, json want)
{
    struct json_iter iter = json_iter(want);
    while (json_next(&iter))
        if (!is_ignored(place, iter.key) &&
            !same_member(place, iter.key, json_get(got, iter.key), iter.value))
            return false;
    iter = json_iter(got);
    while (json_next(&iter))
        if (!is_ignored(place, iter.key) && !json_get(want, iter.key) &&
            !same_member(place, iter.key, iter.value, NULL))
            return false;
    return true;
}

static bool same_array(struct place *place, json got, json want)
{
    char key[24];
    size_t count = json_count(want);
    for (size_t i = 0; i < count; i++) {
        snprintf(key, sizeof key, "%zu", i);
        if (!same_member(place, key, json_at(got, i), json_at(want, i)))
            return false;
    }
    return json_count(got) == count || differs(place, json_at(got, count), NULL);
}

static bool same_text(json got, json want)
{
    size_t m = 0, n = 0;
    const char *a = json_text_len(got, &m), *b = json_text_len(want, &n);
    return m == n && memcmp(a, b, m) == 0;
}

static bool same(struct place *place, json got, json want)
{
    enum json_kind kind = json_kind(want);
    u64 m, n;
    bool p, q;
    bool lenient = place->leniency && place->leniency->missing_is_zero;
    if (lenient && (!got || !want) && is_zero(got) && is_zero(want))
        return true;
    if (json_kind(got) != kind)
        return differs(place, got, want);
    switch (kind) {
    case JSON_KIND_ABSENT:
    case JSON_KIND_NULL: return true;
    case JSON_KIND_OBJECT: return same_object(place, got, want);
    case JSON_KIND_ARRAY: return same_array(place, got, want);
    case JSON_KIND_STRING: return same_text(got, want) || differs(place, got, want);
    case JSON_KIND_BOOL:
        return (json_bool(got, &p) && json_bool(want, &q) && p == q) || differs(place, got, want);
    case JSON_KIND_NUMBER:
        return (json_u64(got, &m) && json_u64(want, &n) && m == n) || differs(place, got, want);
    }
    return false;
}

bool json_same(json got, json want, const struct json_leniency *leniency, struct err *why)
{
    struct place place = {.why = why, .leniency = leniency};
    return same(&place, got, want);
}
