/* The configuration's parser on arbitrary bytes. */
#include "base/config.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_parse("fuzz.conf", (const char *)data, size, &error);
    g_assert((config == NULL) == (error != NULL));
    return 0;
}
