#include "mlperf.h"

#include <string.h>

#include "application.h"
#include "board.h"
#include "dd_fault.h"
#include "feed.h"
#include "mlperf_text.h"

#define COMMAND_BYTES_MAX 80u
#define COMMAND_END       '%'
#define US_PER_S          1000000u
#define PRINTED_BYTES     16u /* by `db print` alone */
#define PRINTED_A_LINE    8u

/* Everything that is kept between two commands. */
static struct {
    app_net net;
    uint8_t input[APP_INPUT_BYTES];
    uint32_t expected; /* bytes of it, as `db load` said */
    uint32_t loaded;   /* that have come */
    bool complete;     /* an inference over it is, and its outputs are there */
    char command[COMMAND_BYTES_MAX + 1u];
    size_t length; /* characters of the command so far; beyond its room they are counted alone */
} dut;

static void refuse(const char *why)
{
    mlperf_put("e-[");
    mlperf_put(why);
    mlperf_end("]");
}

static void put_line(const char *begin, uint64_t number, const char *end)
{
    mlperf_put(begin);
    mlperf_put_number(number);
    mlperf_end(end);
}

static void put_timestamp(void)
{
    const uint64_t ticks = board_ticks();
    const uint64_t rest = ticks % BOARD_COUNTER_HZ * US_PER_S / BOARD_COUNTER_HZ;
    put_line("m-lap-us-", ticks / BOARD_COUNTER_HZ * US_PER_S + rest, "");
}

static void name(char *arguments)
{
    (void)arguments;
    mlperf_end("m-name-dut-[dynadeep " BOARD_NAME "]");
}

static void profile(char *arguments)
{
    (void)arguments;
    mlperf_end("m-profile-[dynadeep " APP_KIT_VERSION "]");
    mlperf_end("m-model-[" APP_MODEL_ID "]");
}

static void timestamp(char *arguments)
{
    (void)arguments;
    put_timestamp();
}

static void load(char *arguments)
{
    uint32_t count = 0;
    if (!mlperf_number(mlperf_word(&arguments), sizeof dut.input, &count) || count == 0 ||
        *mlperf_word(&arguments) != '\0') {
        put_line("e-[db load N: expected one number, from 1 to ", sizeof dut.input, "]");
        return;
    }
    dut.expected = count;
    dut.loaded = 0;
    dut.complete = false;
    put_line("m-[Expecting ", count, " bytes]");
}

static void print(char *arguments)
{
    uint32_t count = dut.loaded < PRINTED_BYTES ? dut.loaded : PRINTED_BYTES;
    uint32_t offset = 0;
    const char *const first = mlperf_word(&arguments);
    const char *const second = mlperf_word(&arguments);
    const bool right = (*first == '\0' || mlperf_number(first, dut.loaded, &count)) &&
                       (*second == '\0' || mlperf_number(second, dut.loaded - count, &offset)) &&
                       *mlperf_word(&arguments) == '\0';
    if (!right || count == 0) {
        put_line("e-[db print N OFFSET: expected bytes that are loaded, of which there are ",
                 dut.loaded, "]");
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        mlperf_put(i % PRINTED_A_LINE == 0 ? "m-buffer-" : "-");
        mlperf_put_hex(dut.input[offset + i], 2);
        if (i % PRINTED_A_LINE == PRINTED_A_LINE - 1u || i == count - 1u) {
            mlperf_end("");
        }
    }
}

static void take(const char *word, char *rest)
{
    const uint32_t room = dut.expected - dut.loaded;
    const size_t count =
        *mlperf_word(&rest) != '\0' ? 0u : mlperf_bytes(word, &dut.input[dut.loaded], room);
    if (count == 0) {
        put_line("e-[db HH..: expected pairs of hexadecimal digits, for bytes up to ", room, "]");
        return;
    }
    dut.loaded += (uint32_t)count;
    if (dut.loaded == dut.expected) {
        mlperf_end("m-load-done");
    }
}

static void db(char *arguments)
{
    const char *const word = mlperf_word(&arguments);
    if (strcmp(word, "load") == 0) {
        load(arguments);
    } else if (strcmp(word, "print") == 0) {
        print(arguments);
    } else {
        take(word, arguments);
    }
}

static dd_status run(void)
{
    const dd_net net = app_net_view(&dut.net);
    dd_net_begin(&net);
    dd_status status = DD_OK;
    size_t taken = 0;
    for (size_t done = 0; status == DD_OK && done < sizeof dut.input; done += taken) {
        status = dd_feed(&net, &dut.input[done], sizeof dut.input - done, &taken, NULL);
    }
    return status;
}

static dd_status run_times(uint32_t count)
{
    dd_status status = DD_OK;
    for (; status == DD_OK && count > 0; count--) {
        status = run();
    }
    return status;
}

/* Each output's codes less its zero point: whole numbers, of which its scale makes the values. */
static void put_results(void)
{
    const char *before = "m-results-[";
    for (size_t i = 0; i < APP_OUTPUTS; i++) {
        const int8_t *const codes = app_net_output(&dut.net, i);
        for (size_t k = 0; k < app_output_bytes[i]; k++) {
            mlperf_put(before);
            mlperf_put_signed(codes[k] - app_output_zero_points[i]);
            before = ",";
        }
    }
    mlperf_end("]");
}

static void infer(char *arguments)
{
    uint32_t count = 0;
    uint32_t warmups = 0;
    const char *const first = mlperf_word(&arguments);
    const char *const second = mlperf_word(&arguments);
    if (!mlperf_number(first, UINT32_MAX, &count) || count == 0 ||
        (*second != '\0' && !mlperf_number(second, UINT32_MAX, &warmups)) ||
        *mlperf_word(&arguments) != '\0') {
        refuse("infer N W: expected how often from 1, and how often before that from 0");
        return;
    }
    if (dut.loaded != sizeof dut.input) {
        put_line("e-[infer: no whole input is loaded. Give db load ", sizeof dut.input,
                 " and its bytes]");
        return;
    }
    put_line("m-warmup-start-", warmups, "");
    dd_status status = run_times(warmups);
    mlperf_end("m-warmup-done");
    put_line("m-infer-start-", count, "");
    put_timestamp();
    status = status == DD_OK ? run_times(count) : status;
    put_timestamp();
    mlperf_end("m-infer-done");
    dut.complete = status == DD_OK;
    if (dut.complete) {
        put_results();
    } else {
        put_line("e-[infer: the network stopped with status ", (uint64_t)status, "]");
    }
}

static void results(char *arguments)
{
    (void)arguments;
    if (dut.complete) {
        put_results();
    } else {
        refuse("results: there are none. Give infer first");
    }
}

static void help(char *arguments);

static const struct {
    const char *name;
    const char *about;
    void (*act)(char *arguments);
} commands[] = {
    {"help", "these lines", help},
    {"name", "what the device is called", name},
    {"profile", "its firmware and its model", profile},
    {"timestamp", "microseconds since it began", timestamp},
    {"db", "load N, then HH.. until N bytes have come; print N OFFSET", db},
    {"infer", "N W: run the network N times after W warm-ups", infer},
    {"results", "the outputs of the last inference, less their zero points", results},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void help(char *arguments)
{
    (void)arguments;
    for (size_t i = 0; i < COMMANDS; i++) {
        mlperf_put(commands[i].name);
        mlperf_put(": ");
        mlperf_end(commands[i].about);
    }
}

static void act(void)
{
    char *rest = dut.command;
    const char *const word = mlperf_word(&rest);
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, word) == 0) {
            commands[i].act(rest);
            return;
        }
    }
    mlperf_put("e-[Unknown command: ");
    mlperf_put_quoted(word);
    mlperf_end("]");
}

static void ready(void)
{
    mlperf_end("m-ready");
    dut.length = 0;
}

void mlperf_init(void)
{
    dut.expected = 0;
    dut.loaded = 0;
    dut.complete = false;
    mlperf_end("m-timestamp-mode-performance");
    put_timestamp();
    mlperf_end("m-init-done");
    ready();
}

void mlperf_receive(uint8_t byte)
{
    if (byte == '\r' || byte == '\n') {
        return; /* of a host's terminal */
    }
    if (byte != COMMAND_END) {
        if (dut.length < COMMAND_BYTES_MAX) {
            dut.command[dut.length] = byte == 0 ? '?' : (char)byte; /* a zero would end it */
        }
        dut.length += dut.length <= COMMAND_BYTES_MAX;
        return;
    }
    if (dut.length > COMMAND_BYTES_MAX) {
        put_line("e-[The command is longer than ", COMMAND_BYTES_MAX, " characters]");
    } else {
        dut.command[dut.length] = '\0';
        act();
    }
    ready();
}

/* Whatever line was being sent ends first. */
void dd_send_fault(const dd_fault *fault)
{
    mlperf_end("");
    mlperf_put("e-[Fault ");
    mlperf_put_number(fault->kind);
    mlperf_put(", exception ");
    mlperf_put_number(fault->exception);
    mlperf_put(", pc 0x");
    mlperf_put_hex(fault->pc, 8);
    mlperf_put(", lr 0x");
    mlperf_put_hex(fault->lr, 8);
    mlperf_end("]");
}
