/* The runner that each room's tests are linked with. An argument picks the tests whose name holds it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"

static struct test *tests;
static jmp_buf failed;

void test_register(struct test *test)
{
    test->next = tests;
    tests = test;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    printf("%s:%d: ", file, line);
    vprintf(fmt, args);
    putchar('\n');
    va_end(args);
    longjmp(failed, 1);
}

static void print_hex(const char *label, const u8 *bytes, size_t len)
{
    printf("  %s ", label);
    for (size_t i = 0; i < len && i < 256; i++)
        printf("%02x", bytes[i]);
    putchar('\n');
}

void test_check_mem(const char *file, int line, const void *got, const void *want, size_t len)
{
    if (!len || memcmp(got, want, len) == 0)
        return;
    print_hex("got ", got, len);
    print_hex("want", want, len);
    test_fail(file, line, "bytes differ");
}

static bool run_one(const struct test *test)
{
    if (setjmp(failed) == 0) {
        test->run();
        return true;
    }
    printf("FAIL %s (%s)\n", test->name, test->file);
    return false;
}

int main(int argc, char **argv)
{
    unsigned passed = 0, bad = 0;
    for (const struct test *test = tests; test; test = test->next) {
        if (argc > 1 && !strstr(test->name, argv[1]))
            continue;
        if (run_one(test))
            passed++;
        else
            bad++;
    }
    printf("%u passed, %u failed\n", passed, bad);
    return bad || !passed ? EXIT_FAILURE : EXIT_SUCCESS;
}
