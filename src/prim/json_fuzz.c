/* Any text: a document or an error with a position; a document survives being walked, written and read again. */
#include <string.h>

#include "base/assert.h"
#include "prim/json.h"
#include "prim/json_out.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Writes what holds no member names with escapes, which the writer does not take. */
static void copy(struct buf *out, json value)
{
    size_t len;
    bool truth;
    const char *text = json_text_len(value, &len), *number = json_number_text(value);
    struct json_iter iter = json_iter(value);
    switch (json_kind(value)) {
    case JSON_KIND_ABSENT: assert(false); break;
    case JSON_KIND_NULL: json_out_null(out, NULL); break;
    case JSON_KIND_BOOL: json_out_bool(out, NULL, json_bool(value, &truth) && truth); break;
    case JSON_KIND_NUMBER: json_out_raw(out, NULL, number, strlen(number)); break;
    case JSON_KIND_STRING: json_out_text_len(out, NULL, text, len); break;
    case JSON_KIND_OBJECT:
    case JSON_KIND_ARRAY:
        json_out_array(out, NULL);
        while (json_next(&iter))
            copy(out, iter.value);
        json_out_array_end(out);
        break;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct err err;
    struct json_doc *doc, *again;
    err.text[0] = 0;
    enum status status = json_parse(&doc, (const char *)data, size, 64, &err);
    assert(status == STATUS_OK || err.text[0]);
    if (status != STATUS_OK)
        return 0;
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    copy(&out, json_root(doc));
    status = json_parse(&again, (const char *)out.data, out.len, 64, &err);
    assert(status == STATUS_OK);
    struct buf twice;
    buf_init(&twice, SIZE_MAX / 2);
    copy(&twice, json_root(again));
    assert(twice.len == out.len && memcmp(twice.data, out.data, out.len) == 0);
    buf_fini(&out);
    buf_fini(&twice);
    json_free(doc);
    json_free(again);
    return 0;
}
