/* A POSIX process as a board: standard input and output are the wire, the clock is the counter. */
#define _GNU_SOURCE /* the registers at a crash, besides POSIX */

#include "board.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "dd_fault.h"

#define EXIT_CRASHED 70

extern const char __executable_start[]; /* the linker's: a fault's address is told relative to it */

static uint32_t crash_address(void *context)
{
    uintptr_t pc = 0;
#if defined(__linux__) && defined(__x86_64__)
    pc = (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__linux__) && defined(__aarch64__)
    pc = (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
#else
    (void)context;
#endif
    return pc == 0 ? 0 : (uint32_t)(pc - (uintptr_t)__executable_start);
}

static void on_crash(int signal_number, siginfo_t *info, void *context)
{
    (void)info;
    const dd_fault fault = {
        .kind = signal_number == SIGABRT ? DD_FAULT_ASSERTION : DD_FAULT_HARD,
        .exception = (uint8_t)signal_number,
        .pc = crash_address(context),
    };
    dd_send_fault(&fault);
    _exit(EXIT_CRASHED);
}

void board_init(void)
{
    /* The stack may be what is exhausted, so the handler gets one of its own. */
    static uint8_t handler_stack[64 * 1024];
    const stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
    (void)sigaltstack(&stack, NULL);
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++) {
        (void)sigaction(crashes[i], &action, NULL);
    }
}

bool board_read(uint8_t *byte)
{
    static uint8_t buffer[4096];
    static size_t count;
    static size_t next;
    if (next == count) {
        const ssize_t received = read(STDIN_FILENO, buffer, sizeof buffer);
        if (received <= 0) {
            if (received < 0 && errno == EINTR) {
                return false;
            }
            exit(EXIT_SUCCESS); /* the host hung up */
        }
        count = (size_t)received;
        next = 0;
    }
    *byte = buffer[next];
    next++;
    return true;
}

void board_write(const uint8_t *bytes, size_t count)
{
    while (count > 0) {
        const ssize_t written = write(STDOUT_FILENO, bytes, count);
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            _exit(EXIT_FAILURE); /* nobody is left to tell */
        }
        bytes += written;
        count -= (size_t)written;
    }
}

uint64_t board_ticks(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint32_t board_stack_bytes(void)
{
    return 0; /* a process's stack grows as it likes */
}

uint32_t board_stack_peak_bytes(void)
{
    return 0;
}

_Noreturn void board_reset(void)
{
    _exit(EXIT_CRASHED); /* only a fault asks for it: whoever started the process starts it again */
}
