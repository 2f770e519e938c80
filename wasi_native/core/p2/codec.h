/* codec.h - what handlers of WASI 0.2 decode and encode alike. No logic beyond the shape of a value.
 *
 * A handler gets what the trampoline in rows.gen.h has checked: resources in place of handles, cases and flags in
 * their range, a return area. What is left to it are lists and strings (pointer and length), and what lies inside
 * options and variants. It looks at them before it asks sys/ for anything: a call that traps has done nothing.
 *
 * wn_guest_realloc() runs the guest: no pointer into its memory outlives it. Every put takes an address.
 */
#ifndef WN_CORE_P2_CODEC_H
#define WN_CORE_P2_CODEC_H

#include "core/p2/rows.gen.h"

#define WN_P2_LIST_MAX ((1u << 28) - 1) /* bytes of a list or string */

/* A new handle that owns `res`; on failure `res` is closed. err: of making res, handed through. */
wn_err_t wn_p2_own(wn_guest_t *guest, const wn_rt_t *rt, wn_res_t *res, uint32_t *handle);
/* The same for a handle that goes to memory. */
wn_err_t wn_p2_put_own(wn_guest_t *guest, uint32_t ptr, const wn_rt_t *rt, wn_res_t *res);

static inline wn_err_t wn_p2_put8(wn_guest_t *guest, uint32_t ptr, uint8_t value) {
  uint8_t *out;
  wn_err_t err = wn_p2_place(guest, ptr, 1, 1, &out);
  if (WN_LIKELY(!err)) *out = value;
  return err;
}
static inline wn_err_t wn_p2_put32(wn_guest_t *guest, uint32_t ptr, uint32_t value) {
  uint8_t *out;
  wn_err_t err = wn_p2_place(guest, ptr, 4, 4, &out);
  if (WN_LIKELY(!err)) wn_store32(out, value);
  return err;
}
static inline wn_err_t wn_p2_put64(wn_guest_t *guest, uint32_t ptr, uint64_t value) {
  uint8_t *out;
  wn_err_t err = wn_p2_place(guest, ptr, 8, 8, &out);
  if (WN_LIKELY(!err)) wn_store64(out, value);
  return err;
}

/* A list: `count` elements of `size` bytes at `align` by the guest's realloc, its pointer and count written at `ptr`;
 * *at is where the elements go. No bytes are asked for too. */
wn_err_t wn_p2_put_list(wn_guest_t *guest, uint32_t ptr, uint32_t count, uint32_t size, uint32_t align, uint32_t *at);
/* A list<u8> with these bytes of ours. */
wn_err_t wn_p2_put_bytes(wn_guest_t *guest, uint32_t ptr, const void *bytes, size_t len);
/* A string, given in UTF-8, in the guest's encoding. What is not UTF-8 becomes U+FFFD. */
wn_err_t wn_p2_put_string(wn_guest_t *guest, uint32_t ptr, const char *text, size_t len);
/* A datetime: seconds and nanoseconds. */
static inline wn_err_t wn_p2_put_datetime(wn_guest_t *guest, uint32_t ptr, uint64_t ns) {
  uint8_t *out;
  wn_err_t err = wn_p2_place(guest, ptr, WN_P2_CLOCKS_DATETIME_SIZEOF, WN_P2_CLOCKS_DATETIME_ALIGNOF, &out);
  if (err) return err;
  wn_store64(out + WN_P2_CLOCKS_DATETIME_SECONDS, ns / 1000000000u);
  wn_store32(out + WN_P2_CLOCKS_DATETIME_NANOSECONDS, (uint32_t)(ns % 1000000000u));
  return 0;
}

/* A list<u8> that the guest gives. */
static inline wn_err_t wn_p2_get_bytes(wn_guest_t *guest, uint32_t ptr, uint32_t len, uint8_t **out) {
  return wn_p2_place(guest, ptr, len, 1, out);
}
/* A list of anything. */
wn_err_t wn_p2_get_list(wn_guest_t *guest, uint32_t ptr, uint32_t count, uint32_t size, uint32_t align,
                        uint8_t **out);
/* A string that the guest gives, in its encoding, as UTF-8 with a terminator. Bad text traps. NAMETOOLONG: no room in
 * `cap`; INVAL: a NUL inside. */
wn_err_t wn_p2_get_string(wn_guest_t *guest, uint32_t ptr, uint32_t len, char *out, size_t cap);

/* error-code of wasi:filesystem for an errno. */
uint8_t wn_p2_errno_code(wn_err_t err);

#endif
