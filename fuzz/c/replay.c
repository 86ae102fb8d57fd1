/* Run a target once over each file named: for a compiler that has no libFuzzer. */
#include "input.h"

static size_t read_file(const char *path, uint8_t **content)
{
    FILE *file = fopen(path, "rb");
    FUZZ_REQUIRE(file != NULL && fseek(file, 0, SEEK_END) == 0);
    const long size = ftell(file);
    FUZZ_REQUIRE(size >= 0 && fseek(file, 0, SEEK_SET) == 0);
    *content = fuzz_block((size_t)size);
    FUZZ_REQUIRE(fread(*content, 1, (size_t)size, file) == (size_t)size);
    (void)fclose(file);
    return (size_t)size;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        uint8_t *content = NULL;
        const size_t size = read_file(argv[i], &content);
        fprintf(stderr, "%s\n", argv[i]);
        (void)LLVMFuzzerTestOneInput(content, size);
        free(content);
    }
    return 0;
}
