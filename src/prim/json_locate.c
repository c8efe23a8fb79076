#include "prim/json_locate.h"

#include <string.h>

/* A position in text known to be JSON: what is not structure may be passed over without a look. */
struct cursor {
    const char *text;
    size_t len, at;
};

static char peek(const struct cursor *c)
{
    return c->at < c->len ? c->text[c->at] : 0;
}

static void skip_space(struct cursor *c)
{
    while (c->at < c->len && strchr(" \t\r\n", c->text[c->at]) && c->text[c->at])
        c->at++;
}

static void skip_string(struct cursor *c)
{
    for (c->at++; c->at < c->len && c->text[c->at] != '"'; c->at++)
        if (c->text[c->at] == '\\')
            c->at++;
    c->at++;
}

/* Containers are passed over by counting brackets outside strings. */
static void skip_value(struct cursor *c)
{
    size_t depth = 0;
    do {
        skip_space(c);
        char now = peek(c);
        if (now == '"') {
            skip_string(c);
        } else if (now == '{' || now == '[') {
            depth++;
            c->at++;
        } else if (now == '}' || now == ']') {
            depth--;
            c->at++;
        } else if (now == ',' || now == ':') {
            c->at++;
        } else {
            do
                c->at++;
            while (c->at < c->len && !strchr(",:]} \t\r\n", c->text[c->at]));
        }
    } while (depth && c->at < c->len);
}

/* From a container's bracket to its member or element number index: to the name of a member. */
static bool enter(struct cursor *c, u32 index)
{
    bool is_object = peek(c) == '{';
    if (!is_object && peek(c) != '[')
        return false;
    c->at++;
    for (u32 i = 0;; i++) {
        skip_space(c);
        if (c->at >= c->len || peek(c) == '}' || peek(c) == ']')
            return false;
        if (i == index)
            return true;
        if (is_object) {
            skip_string(c);
            skip_space(c);
            c->at++;
        }
        skip_value(c);
        skip_space(c);
        c->at += peek(c) == ',';
    }
}

static void pass_name(struct cursor *c)
{
    skip_string(c);
    skip_space(c);
    c->at++;
    skip_space(c);
}

struct json_place json_locate(const char *text, size_t len, const u32 *path, size_t depth,
                              bool of_key)
{
    struct cursor c = {text, len, 0};
    bool found = true;
    skip_space(&c);
    for (size_t i = 0; found && i < depth; i++) {
        bool is_object = peek(&c) == '{';
        found = enter(&c, path[i]);
        if (found && is_object && !(of_key && i + 1 == depth))
            pass_name(&c);
    }
    size_t at = found && c.at < len ? c.at : len;
    struct json_place place = {1, 1};
    for (size_t i = 0; i < at; i++) {
        place.column++;
        if (text[i] == '\n') {
            place.line++;
            place.column = 1;
        }
    }
    return place;
}
