/* codec.c - handles, lists and strings on their way into and out of guest memory. */
#include "core/p2/codec.h"

#include "core/mem/canon.h"

#define TAG 0x80000000u /* of latin1+utf16: these units are UTF-16 */
#define REPLACEMENT 0xFFFDu

wn_err_t wn_p2_close(const wn_rt_t *rt, wn_guest_t *guest, uint32_t rep) {
  wn_res_t *res = wn_res_get(guest->sys, rep, (wn_res_kind_t)(uintptr_t)rt->ctx);
  if (!res) return WN_INVALID;
  wn_res_close(guest->sys, res);
  return 0;
}

wn_err_t wn_p2_own(wn_guest_t *guest, const wn_rt_t *rt, wn_res_t *res, uint32_t *handle) {
  wn_err_t err = wn_handle_add(guest->comp, rt, res->rep, NULL, handle);
  if (err) wn_res_close(guest->sys, res);
  return err;
}

wn_err_t wn_p2_put_own(wn_guest_t *guest, uint32_t ptr, const wn_rt_t *rt, wn_res_t *res) {
  uint32_t handle = 0;
  wn_err_t err = wn_p2_own(guest, rt, res, &handle);
  return err ? err : wn_p2_put32(guest, ptr, handle);
}

wn_err_t wn_p2_put_list(wn_guest_t *guest, uint32_t ptr, uint32_t count, uint32_t size, uint32_t align,
                        uint32_t *at) {
  uint8_t *out;
  if ((uint64_t)count * size > WN_P2_LIST_MAX) return wn_guest_trap(guest, "list is too long");
  /* Of no elements too, as the ABI has it: adapters hold the answer against the place that they had in mind. */
  wn_err_t err = wn_guest_realloc(guest, align, count * size, at);
  if (!err) err = wn_p2_place(guest, ptr, 8, 4, &out);
  if (err) return err;
  wn_store32(out, *at);
  wn_store32(out + 4, count);
  return 0;
}

wn_err_t wn_p2_put_bytes(wn_guest_t *guest, uint32_t ptr, const void *bytes, size_t len) {
  uint32_t at = 0;
  uint8_t *out;
  if (len > WN_P2_LIST_MAX) return wn_guest_trap(guest, "list is too long");
  wn_err_t err = wn_p2_put_list(guest, ptr, (uint32_t)len, 1, 1, &at);
  if (err || !len) return err;
  if ((err = wn_p2_place(guest, at, (uint32_t)len, 1, &out))) return err;
  memcpy(out, bytes, len);
  return 0;
}

/* The code point at *at of UTF-8 text, and on; U+FFFD for a byte that starts none. */
static uint32_t next_utf8(const uint8_t *text, size_t len, size_t *at) {
  static const uint8_t firsts[] = {0xC2, 0xE0, 0xF0}, masks[] = {0x1F, 0x0F, 0x07};
  size_t from = *at;
  uint32_t lead = text[from], more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  *at = from + 1;
  if (!more) return lead;
  if (lead < firsts[0] || len - from <= more || !wn_utf8_valid(text + from, more + 1)) return REPLACEMENT;
  uint32_t code = lead & masks[more - 1];
  for (uint32_t i = 1; i <= more; i++) code = code << 6 | (text[from + i] & 0x3F);
  *at = from + 1 + more;
  return code;
}

/* Units of UTF-16 for a code point. */
static uint32_t units(uint32_t code) { return code >= 0x10000 ? 2 : 1; }

static uint8_t *put_utf16(uint8_t *out, uint32_t code) {
  if (code < 0x10000) {
    wn_store16(out, (uint16_t)code);
    return out + 2;
  }
  wn_store16(out, (uint16_t)(0xD800 + ((code - 0x10000) >> 10)));
  wn_store16(out + 2, (uint16_t)(0xDC00 + (code & 0x3FF)));
  return out + 4;
}

/* Bytes of UTF-8 for a code point, written at out. */
static uint32_t put_utf8(uint8_t *out, uint32_t code) {
  uint32_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const uint8_t heads[] = {0, 0xC0, 0xE0, 0xF0};
  for (uint32_t i = more; i > 0; i--, code >>= 6) out[i] = 0x80 | (code & 0x3F);
  out[0] = (uint8_t)(heads[more] | code);
  return more + 1;
}

/* What a text takes: code points below 256 or not, its units of UTF-16, its bytes of clean UTF-8. */
typedef struct measure {
  uint64_t latin1, utf16, utf8;
  bool wide;
} measure_t;

static measure_t measure(const uint8_t *text, size_t len) {
  measure_t m = {0};
  uint8_t bytes[4];
  for (size_t at = 0; at < len;) {
    uint32_t code = next_utf8(text, len, &at);
    m.latin1++;
    m.utf16 += units(code);
    m.utf8 += put_utf8(bytes, code);
    m.wide |= code > 0xFF;
  }
  return m;
}

static wn_err_t put_text(wn_guest_t *guest, uint32_t ptr, const uint8_t *text, size_t len) {
  measure_t m = measure(text, len);
  uint8_t encoding = guest->opts ? guest->opts->encoding : WN_UTF8;
  bool wide = encoding == WN_UTF16 || (encoding == WN_LATIN1_UTF16 && m.wide);
  uint64_t count = wide ? m.utf16 : encoding == WN_LATIN1_UTF16 ? m.latin1 : m.utf8;
  uint32_t size = wide ? 2 : 1, align = encoding == WN_UTF8 ? 1 : 2, at = 0;
  uint8_t *out, *head;
  if (count * size > WN_P2_LIST_MAX) return wn_guest_trap(guest, "string is too long");
  wn_err_t err = wn_p2_put_list(guest, ptr, (uint32_t)count, size, align, &at);
  if (!err) err = wn_p2_place(guest, at, (uint32_t)count * size, align, &out);
  if (!err) err = wn_p2_place(guest, ptr, 8, 4, &head);
  if (err) return err;
  for (size_t from = 0; from < len;) {
    uint32_t code = next_utf8(text, len, &from);
    if (wide) out = put_utf16(out, code);
    else if (encoding == WN_LATIN1_UTF16) *out++ = (uint8_t)code;
    else out += put_utf8(out, code);
  }
  if (wide && encoding == WN_LATIN1_UTF16) wn_store32(head + 4, (uint32_t)count | TAG);
  return 0;
}

wn_err_t wn_p2_put_string(wn_guest_t *guest, uint32_t ptr, const char *text, size_t len) {
  const uint8_t *bytes = (const uint8_t *)text;
  bool plain = !guest->opts || guest->opts->encoding == WN_UTF8;
  if (len > WN_P2_LIST_MAX) return wn_guest_trap(guest, "string is too long");
  return plain && wn_utf8_valid(bytes, len) ? wn_p2_put_bytes(guest, ptr, text, len)
                                            : put_text(guest, ptr, bytes, len);
}

wn_err_t wn_p2_get_list(wn_guest_t *guest, uint32_t ptr, uint32_t count, uint32_t size, uint32_t align,
                        uint8_t **out) {
  if ((uint64_t)count * size > WN_P2_LIST_MAX) return wn_guest_trap(guest, "list is too long");
  return wn_p2_place(guest, ptr, count * size, align, out);
}

/* One code point of UTF-16 at unit *at; false: a surrogate without its other half. */
static bool next_utf16(const uint8_t *text, uint32_t count, uint32_t *at, uint32_t *code) {
  uint32_t high = wn_load16(text + 2 * (size_t)(*at)++);
  *code = high;
  if (high < 0xD800 || high > 0xDFFF) return true;
  if (high > 0xDBFF || *at == count) return false;
  uint32_t low = wn_load16(text + 2 * (size_t)(*at)++);
  *code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  return low >= 0xDC00 && low <= 0xDFFF;
}

/* A string of the other two encodings. */
static wn_err_t get_text(wn_guest_t *guest, uint32_t ptr, uint32_t len, char *out, size_t cap) {
  bool wide = guest->opts->encoding == WN_UTF16 || (len & TAG);
  uint32_t count = guest->opts->encoding == WN_LATIN1_UTF16 ? len & ~TAG : len, code = 0;
  uint8_t *text, *to = (uint8_t *)out, bytes[4];
  size_t used = 0;
  wn_err_t err = wn_p2_get_list(guest, ptr, count, wide ? 2 : 1, 2, &text);
  if (err) return err;
  for (uint32_t at = 0; at < count;) {
    if (!wide) code = text[at++];
    else if (!next_utf16(text, count, &at, &code)) return wn_guest_trap(guest, "invalid utf-16");
    if (!code && !err) err = WN_EINVAL;
    uint32_t n = put_utf8(bytes, code);
    if (!err && used + n >= cap) err = WN_ENAMETOOLONG; /* the rest may still be bad text, which is a trap */
    if (err) continue;
    memcpy(to + used, bytes, n);
    used += n;
  }
  to[used] = 0;
  return err;
}

wn_err_t wn_p2_get_string(wn_guest_t *guest, uint32_t ptr, uint32_t len, char *out, size_t cap) {
  if (guest->opts && guest->opts->encoding != WN_UTF8) return get_text(guest, ptr, len, out, cap);
  uint8_t *text;
  wn_err_t err = wn_p2_get_list(guest, ptr, len, 1, 1, &text);
  if (err) return err;
  if (!wn_utf8_valid(text, len)) return wn_guest_trap(guest, "invalid utf-8");
  if (len >= cap) return WN_ENAMETOOLONG;
  if (len && memchr(text, 0, len)) return WN_EINVAL;
  if (len) memcpy(out, text, len);
  out[len] = 0;
  return 0;
}
