#include <string.h>

#include "base/test.h"
#include "prim/utf8.h"

TEST(utf8_takes_the_first_and_last_of_every_length)
{
    static const char *const good[] = {"",
                                       "plain text of more than eight",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "12345678\xe2\x82\xac"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK_EQ(utf8_valid_len(good[i], strlen(good[i])), strlen(good[i]));
}

TEST(utf8_stops_where_it_ends_to_be_valid)
{
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x41",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xe2\x82",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf0\x90\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff"};
    char text[32];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (size_t before = 0; before < 20; before++) {
            memset(text, 'a', before);
            memcpy(text + before, bad[i], strlen(bad[i]));
            CHECK_EQ(utf8_valid_len(text, before + strlen(bad[i])), before);
        }
    }
}
