/*
 * Tests of one room are functions made with TEST in its *_test.c files; they register themselves
 * and one runner per room runs them. A failed CHECK ends that test and is counted.
 */
#pragma once

#include "base/types.h"

struct test {
    const char *name, *file;
    void (*run)(void);
    struct test *next;
};

void test_register(struct test *test);
_Noreturn void test_fail(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Compares bytes and prints both in hex when they differ. */
void test_check_mem(const char *file, int line, const void *got, const void *want, size_t len);

#define TEST(id)                                                      \
    static void test_##id(void);                                      \
    __attribute__((constructor)) static void test_register_##id(void) \
    {                                                                 \
        static struct test self = {#id, __FILE__, test_##id, NULL};   \
        test_register(&self);                                         \
    }                                                                 \
    static void test_##id(void)

#define CHECK(cond) ((cond) ? (void)0 : test_fail(__FILE__, __LINE__, "%s", #cond))
#define CHECK_EQ(got, want)                                                           \
    do {                                                                              \
        long long got_ = (long long)(got), want_ = (long long)(want);                 \
        if (got_ != want_)                                                            \
            test_fail(__FILE__, __LINE__, "%s is %lld, not %lld", #got, got_, want_); \
    } while (0)
#define CHECK_STR(got, want)                                                              \
    do {                                                                                  \
        const char *got_ = (got), *want_ = (want);                                        \
        if (__builtin_strcmp(got_, want_) != 0)                                           \
            test_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #got, got_, want_); \
    } while (0)
#define CHECK_MEM(got, want, len) test_check_mem(__FILE__, __LINE__, got, want, len)
