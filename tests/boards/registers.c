/* A board's C on this computer: every page that it touches becomes memory, which is printed at the
 * end. Arguments: what registers hold before, address=value in hexadecimal. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "board.h"
#include "counter.h"

#define PAGE      4096u
#define MOST      64u
#define ADDRESSES (1ull << 32)

static uintptr_t pages[MOST];
static unsigned count;

static void map(uintptr_t address)
{
    const uintptr_t page = address - address % PAGE;
    if (page == 0 || page >= ADDRESSES || count == MOST ||
        mmap((void *)page, PAGE, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != (void *)page) {
        _exit(3);
    }
    pages[count] = page;
    count++;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    map((uintptr_t)info->si_addr);
}

#ifdef COUNTER
#define CYCCNT (*(volatile uint32_t *)(uintptr_t)0xE0001004u)
static void print_ticks(uint32_t cycles)
{
    CYCCNT = cycles;
    printf("%llx\n", (unsigned long long)board_ticks());
}

static void run(void)
{
    counter_start();
    print_ticks(5);
    CYCCNT = 0xFFFFFF00u;
    counter_wrapped();
    print_ticks(0xFFFFFFF0u);
    print_ticks(0x10u); /* wrapped, and the exception has not come yet */
    counter_wrapped();
    print_ticks(0x10u);
    print_ticks(0x11u);
    CYCCNT = 0xF0000000u;
    counter_wrapped();
    print_ticks(1u);
}
#else
void counter_start(void)
{
}

uint64_t board_ticks(void)
{
    return 0;
}

static void run(void)
{
    board_init();
    for (unsigned i = 0; i < count; i++) {
        for (uintptr_t at = pages[i]; at < pages[i] + PAGE; at += 4) {
            const uint32_t value = *(const volatile uint32_t *)at;
            if (value != 0) {
                printf("%lx %x\n", (unsigned long)at, (unsigned)value);
            }
        }
    }
}
#endif

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    (void)sigaction(SIGSEGV, &action, NULL);
    for (int i = 1; i < argc; i++) {
        char *end;
        const uintptr_t address = strtoul(argv[i], &end, 16);
        *(volatile uint32_t *)address = (uint32_t)strtoul(end + 1, NULL, 16);
    }
    run();
    return 0;
}
