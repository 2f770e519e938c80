/* proc.c - the end of the program. */
#include "core/p1/codec.h"

/* End the guest with a code, which the embedder reads from wn_end_t. Nothing of the host ends.
 * POSIX: _exit(2).
 * Errnos: none, it does not return.
 * Spec: wasi_snapshot_preview1, proc_exit. */
wn_err_t wn_p1_proc_exit(wn_guest_t *guest, uint32_t rval) {
  if (!guest->end.err) guest->end.exit_code = rval;
  return WN_EXIT;
}

/* Nothing: a signal would reach the host's process. Guests that want to end abnormally trap instead.
 * POSIX: raise(3).
 * Errnos: NOSYS, always.
 * Spec: wasi_snapshot_preview1, proc_raise. */
wn_err_t wn_p1_proc_raise(wn_guest_t *guest, uint32_t sig) {
  (void)guest;
  (void)sig;
  return WN_ENOSYS;
}
