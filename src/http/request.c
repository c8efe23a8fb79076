#include "http/request.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static bool list_has(const char *list, const char *item, size_t len)
{
    while (*list) {
        list += strspn(list, ", ");
        size_t n = strcspn(list, ", ");
        if (n == len && len && strncasecmp(list, item, n) == 0)
            return true;
        list += n;
    }
    return false;
}

static bool is_ip_address(const char *text, size_t len)
{
    char copy[64];
    unsigned char bytes[16];
    if (len >= sizeof copy)
        return false;
    memcpy(copy, text, len);
    copy[len] = 0;
    return inet_pton(AF_INET, copy, bytes) == 1 || inet_pton(AF_INET6, copy, bytes) == 1;
}

bool http_host_is_allowed(const char *host, const char *names)
{
    if (strcmp(names, "*") == 0)
        return true;
    const char *name = host;
    size_t len = strcspn(host, ":");
    if (*host == '[') {
        name = host + 1;
        len = strcspn(name, "]");
    }
    return is_ip_address(name, len) || list_has("localhost", name, len) ||
           list_has(names, name, len);
}

bool http_origin_is_allowed(const char *origin, const char *origins)
{
    return strcmp(origins, "*") == 0 || list_has(origins, origin, strlen(origin));
}

bool http_content_type_is_json(const char *type)
{
    static const char types[] = "application/json,application/json-rpc,application/jsonrequest";
    size_t len = strcspn(type, "; ");
    return len == 0 || list_has(types, type, len);
}
