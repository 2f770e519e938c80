/* random.c - random numbers. */
#include "core/p1/codec.h"

/* Fill a buffer with random bytes. The whole of it is looked for in memory before one byte is made.
 * POSIX: getentropy(3), without its limit of 256 bytes.
 * Errnos: IO, the kernel has no random numbers.
 * Spec: wasi_snapshot_preview1, random_get. */
wn_err_t wn_p1_random_get(wn_guest_t *guest, uint32_t buf, uint32_t buf_len) {
  uint8_t *bytes;
  wn_err_t err = wn_mem_bytes(&guest->mem, buf, buf_len, &bytes);
  return err ? err : wn_random_fill(guest->sys, bytes, buf_len);
}
