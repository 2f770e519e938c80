/* environ.c - the environment of the program. */
#include "core/p1/strings.h"

/* Write the variables ("NAME=value") and a pointer to each; the same picture as args_get.
 * POSIX: environ.
 * Errnos: none; OVERFLOW where the strings do not fit a 32-bit memory.
 * Spec: wasi_snapshot_preview1, environ_get. */
wn_err_t wn_p1_environ_get(wn_guest_t *guest, uint32_t environ, uint32_t environ_buf) {
  return wn_p1_strings_get(guest, &guest->sys->env, environ, environ_buf);
}

/* Write how many variables there are, and how many bytes they take with their terminators.
 * POSIX: none.
 * Errnos: none; OVERFLOW where the strings do not fit a 32-bit memory.
 * Spec: wasi_snapshot_preview1, environ_sizes_get. */
wn_err_t wn_p1_environ_sizes_get(wn_guest_t *guest, uint32_t environc, uint32_t environ_buf_size) {
  return wn_p1_strings_sizes(guest, &guest->sys->env, environc, environ_buf_size);
}
