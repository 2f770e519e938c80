/* args.c - the arguments of the program. */
#include "core/p1/strings.h"

/* Write the arguments and a pointer to each.
 *
 *   argv      [ptr 0][ptr 1] ... [ptr argc-1]       u32 each; no terminating null
 *   argv_buf  a r g 0 \0 a r g 1 \0 ...             as many bytes as args_sizes_get said
 *
 * POSIX: the argv of main().
 * Errnos: none; OVERFLOW where the strings do not fit a 32-bit memory.
 * Spec: wasi_snapshot_preview1, args_get. */
wn_err_t wn_p1_args_get(wn_guest_t *guest, uint32_t argv, uint32_t argv_buf) {
  return wn_p1_strings_get(guest, &guest->sys->args, argv, argv_buf);
}

/* Write how many arguments there are, and how many bytes they take with their terminators.
 * POSIX: the argc of main().
 * Errnos: none; OVERFLOW where the strings do not fit a 32-bit memory.
 * Spec: wasi_snapshot_preview1, args_sizes_get. */
wn_err_t wn_p1_args_sizes_get(wn_guest_t *guest, uint32_t argc, uint32_t argv_buf_size) {
  return wn_p1_strings_sizes(guest, &guest->sys->args, argc, argv_buf_size);
}
