/* random.c - wasi:random: one source behind all of it, the kernel's or the policy's repeatable sequence. */
#include "core/p2/codec.h"

/* Without random numbers there is no value to give. */
static wn_err_t fill(wn_guest_t *guest, void *out, size_t len) {
  wn_err_t err = wn_random_fill(guest->sys, out, len);
  return err > 0 ? wn_guest_trap(guest, "the host has no random numbers") : err;
}

static wn_err_t bytes(wn_guest_t *guest, uint64_t len, uint32_t ret) {
  uint32_t at = 0;
  uint8_t *out;
  if (len > WN_P2_LIST_MAX) return wn_guest_trap(guest, "list is too long");
  wn_err_t err = wn_p2_put_list(guest, ret, (uint32_t)len, 1, 1, &at);
  if (err || !len) return err;
  if ((err = wn_p2_get_bytes(guest, at, (uint32_t)len, &out))) return err;
  return fill(guest, out, (size_t)len);
}

/* Give so many random bytes: all that were asked for, for the interface knows no short answer.
 * POSIX: getentropy(3), without its limit of 256 bytes.
 * Errnos: none; more than 2^28 - 1 bytes, or more than the guest finds room for, is a trap.
 * Spec: wasi:random/random, get-random-bytes. */
wn_err_t wn_p2_random_get_random_bytes(wn_guest_t *guest, uint64_t len, uint32_t ret) {
  return bytes(guest, len, ret);
}

/* Give a random word.
 * POSIX: getentropy(3).
 * Errnos: none.
 * Spec: wasi:random/random, get-random-u64. */
wn_err_t wn_p2_random_get_random_u64(wn_guest_t *guest, uint64_t *result) {
  return fill(guest, result, sizeof *result);
}

/* The same: what need not be secure here is.
 * POSIX: getentropy(3).
 * Errnos: none.
 * Spec: wasi:random/insecure, get-insecure-random-bytes. */
wn_err_t wn_p2_random_get_insecure_random_bytes(wn_guest_t *guest, uint64_t len, uint32_t ret) {
  return bytes(guest, len, ret);
}

/* Give a random word.
 * POSIX: getentropy(3).
 * Errnos: none.
 * Spec: wasi:random/insecure, get-insecure-random-u64. */
wn_err_t wn_p2_random_get_insecure_random_u64(wn_guest_t *guest, uint64_t *result) {
  return fill(guest, result, sizeof *result);
}

/* Give two words to seed a hash with, others at each call.
 * POSIX: getentropy(3).
 * Errnos: none.
 * Spec: wasi:random/insecure-seed, insecure-seed. */
wn_err_t wn_p2_random_insecure_seed(wn_guest_t *guest, uint32_t ret) {
  uint64_t both[2] = {0};
  wn_err_t err = fill(guest, both, sizeof both);
  if (!err) err = wn_p2_put64(guest, ret + WN_P2_RANDOM_TUPLE_U64_U64_0, both[0]);
  return err ? err : wn_p2_put64(guest, ret + WN_P2_RANDOM_TUPLE_U64_U64_1, both[1]);
}
