/*
 * Compares JSON libraries on what a node parses: requests small and large. Prints nanoseconds a document.
 *   bench/decisions/json/run
 * builds this file once a library (their names collide). Each builds a tree, finds "method" in it (in a batch:
 * in every item), and frees it. It also prints what each does with inputs that RFC 8259 forbids.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef JANSSON
#    include <jansson.h>

static int parse(const char *text, size_t len)
{
    json_error_t why;
    json_t *root = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why), *item;
    int found = 0;
    size_t i;
    if (json_is_object(root))
        found = json_object_get(root, "method") != NULL;
    json_array_foreach(root, i, item) found += json_object_get(item, "method") != NULL;
    int ok = root != NULL;
    json_decref(root);
    return ok ? found : -1;
}
#endif

#ifdef JSON_C
#    include <json-c/json.h>

static int parse(const char *text, size_t len)
{
    struct json_tokener *tokener = json_tokener_new();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *root = json_tokener_parse_ex(tokener, text, (int)len);
    int ok = json_tokener_get_error(tokener) == json_tokener_success, found = 0;
    struct json_object *value;
    if (json_object_is_type(root, json_type_object))
        found = json_object_object_get_ex(root, "method", &value);
    if (json_object_is_type(root, json_type_array))
        for (size_t i = 0; i < json_object_array_length(root); i++)
            found +=
                json_object_object_get_ex(json_object_array_get_idx(root, i), "method", &value);
    json_object_put(root);
    json_tokener_free(tokener);
    return ok ? found : -1;
}
#endif

#ifdef CJSON
#    include <cjson/cJSON.h>

static int parse(const char *text, size_t len)
{
    cJSON *root = cJSON_ParseWithLengthOpts(text, len + 1, NULL, 1), *item;
    int ok = root != NULL, found = 0;
    if (cJSON_IsObject(root))
        found = cJSON_GetObjectItemCaseSensitive(root, "method") != NULL;
    else
        cJSON_ArrayForEach(item, root) found +=
            cJSON_GetObjectItemCaseSensitive(item, "method") != NULL;
    cJSON_Delete(root);
    return ok ? found : -1;
}
#endif

#ifdef YAJL
#    include <yajl/yajl_tree.h>

static int parse(const char *text, size_t len)
{
    (void)len;
    static const char *path[] = {"method", NULL};
    char why[128];
    yajl_val root = yajl_tree_parse(text, why, sizeof why);
    int ok = root != NULL, found = 0;
    if (YAJL_IS_OBJECT(root))
        found = yajl_tree_get(root, path, yajl_t_any) != NULL;
    if (YAJL_IS_ARRAY(root))
        for (size_t i = 0; i < root->u.array.len; i++)
            found += yajl_tree_get(root->u.array.values[i], path, yajl_t_any) != NULL;
    yajl_tree_free(root);
    return ok ? found : -1;
}
#endif

static const struct {
    const char *what, *text;
    size_t len;
} bad[] = {
    {"trailing bytes", "{}x", 3},
    {"invalid UTF-8", "\"\xff\"", 3},
    {"lone surrogate", "\"\\ud800\"", 8},
    {"duplicate key", "{\"a\":1,\"a\":2}", 13},
    {"leading zero", "[01]", 4},
    {"control character", "\"\x01\"", 3},
    {"comment", "/**/1", 5},
    {"trailing comma", "[1,]", 4},
    {"bare NaN", "NaN", 3},
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void measure(const char *what, const char *text)
{
    size_t len = strlen(text), times = 20000000 / (len + 200);
    double best = 1e18;
    for (int round = 0; round < 5; round++) {
        double begin = now();
        for (size_t k = 0; k < times; k++)
            if (parse(text, len) < 1)
                abort();
        double ns = (now() - begin) / (double)times;
        best = ns < best ? ns : best;
    }
    printf("%-24s %7zu bytes %9.0f ns\n", what, len, best);
}

int main(void)
{
    static char raw[1024], batch[40000], large[300000];
    snprintf(raw, sizeof raw,
             "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x%"
             "0230d\"]}",
             0);
    strcpy(batch, "[");
    for (int i = 0; i < 100; i++)
        sprintf(batch + strlen(batch),
                "%s{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"eth_call\",\"params\":[{\"to\":"
                "\"0x%040d\",\"data\":\"0x%072d\"},\"latest\"]}",
                i ? "," : "", i, i, i);
    strcat(batch, "]");
    int n = sprintf(large, "{\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x");
    memset(large + n, 'a', 262144);
    strcpy(large + n + 262144, "\"]}");

    measure("eth_blockNumber",
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_blockNumber\",\"params\":[]}");
    measure("eth_sendRawTransaction", raw);
    measure("batch of 100 eth_call", batch);
    measure("256 KiB of hex", large);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        printf("%-24s %s\n", bad[k].what, parse(bad[k].text, bad[k].len) < 0 ? "refused" : "taken");
    return 0;
}
