/* env.c - arguments and environment, kept the way the guest will ask for them. */
#include <string.h>

#include "core/sys/sys.h"

void wn_env_clear(wn_sys_t *sys, wn_strings_t *strings) {
  sys->os->free(sys->os, strings->bytes);
  sys->os->free(sys->os, strings->starts);
  *strings = (wn_strings_t){0};
}

wn_err_t wn_env_set(wn_sys_t *sys, wn_strings_t *strings, const wn_str_t *items, size_t count) {
  uint64_t size = 0;
  for (size_t i = 0; i < count; i++) {
    if (items[i].len && memchr(items[i].ptr, 0, items[i].len)) return WN_EINVAL;
    if (items[i].len >= UINT32_MAX - size) return WN_E2BIG; /* the guest counts them in 32 bits */
    size += items[i].len + 1;
  }
  if (size > SIZE_MAX || count > SIZE_MAX / sizeof(uint32_t)) return WN_E2BIG;
  wn_strings_t made = {.size = (size_t)size, .count = (uint32_t)count};
  if (count) {
    made.bytes = sys->os->alloc(sys->os, made.size);
    made.starts = sys->os->alloc(sys->os, sizeof *made.starts * count);
    if (!made.bytes || !made.starts) {
      wn_env_clear(sys, &made);
      return WN_ENOMEM;
    }
  }
  size_t at = 0;
  for (size_t i = 0; i < count; i++) {
    made.starts[i] = (uint32_t)at;
    if (items[i].len) memcpy(made.bytes + at, items[i].ptr, items[i].len);
    at += items[i].len;
    made.bytes[at++] = 0;
  }
  wn_env_clear(sys, strings);
  *strings = made;
  return 0;
}
