#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/test.h"
#include "sys/child.h"
#include "sys/fault.h"

enum { SIZE = 1 << 16 };

/* Two pages of a file that has one. */
static const u8 *half_a_file(void)
{
    char path[] = "/tmp/ashlar-fault-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && ftruncate(fd, SIZE) == 0);
    const u8 *map = mmap(NULL, 2 * SIZE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    unlink(path);
    close(fd);
    return map;
}

/* Where it could not be read, or NULL. */
static const void *fault_of(const u8 *map, const volatile u8 *at, bool *is_io)
{
    struct fault fault;
    if (FAULT_CAUGHT(&fault, map, map + 2 * SIZE)) {
        *is_io = fault.is_io;
        return fault.at;
    }
    u8 value = *at;
    fault_leave(&fault);
    (void)value;
    return NULL;
}

TEST(unreadable_memory_is_told)
{
    fault_init();
    fault_init();
    const u8 *map = half_a_file();
    bool is_io = false;
    for (int i = 0; i < 3; i++) {
        CHECK(fault_of(map, map + 5, &is_io) == NULL);
        CHECK(fault_of(map, map + SIZE + 5, &is_io) == map + SIZE + 5);
        CHECK(is_io);
    }
    CHECK_EQ(mprotect((void *)(uintptr_t)map, SIZE, PROT_NONE), 0);
    CHECK(fault_of(map, map + 7, &is_io) == map + 7);
    CHECK(!is_io);
    munmap((void *)(uintptr_t)map, 2 * SIZE);
}

TEST(faults_are_of_their_memory)
{
    fault_init();
    const u8 *map = half_a_file(), *other = half_a_file();
    bool is_io;
    struct fault outer;
    if (!FAULT_CAUGHT(&outer, other, other + 2 * SIZE)) {
        CHECK(fault_of(map, map + SIZE, &is_io) == map + SIZE); /* the inner's */
        fault_of(map, other + SIZE, &is_io);
        CHECK(false);
    }
    CHECK(outer.at == other + SIZE);
    if (!FAULT_CAUGHT(&outer, other, other + 2 * SIZE)) {
        fault_raise();
        CHECK(false);
    }
    CHECK(outer.at == NULL);
    fault_raise(); /* nobody is there any more */
    munmap((void *)(uintptr_t)map, 2 * SIZE);
    munmap((void *)(uintptr_t)other, 2 * SIZE);
}

static int read_outside(void *arg)
{
    fault_init();
    close(STDERR_FILENO); /* a sanitizer would have much to say */
    bool is_io;
    fault_of(half_a_file(), arg, &is_io);
    return 0;
}

TEST(other_faults_end_the_process)
{
    const u8 *map = half_a_file();
    struct child *child;
    CHECK_EQ(child_start(&child, read_outside, (void *)(uintptr_t)(map + SIZE), NULL), STATUS_OK);
    CHECK(child_wait(child) != 0);
    munmap((void *)(uintptr_t)map, 2 * SIZE);
}
