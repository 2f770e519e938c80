/* mem.c - lists and strings of a guest. */
#include "core/mem/mem.h"

/* Room for lengths that a guest and every host can count: a result is at most this. */
#define SUM_MAX 0x7fffffffu

/* The bits that no byte of ASCII has. */
#define ASCII_NOT 0x8080808080808080u

wn_err_t wn_mem_iovs(const wn_mem_t *m, uint32_t ptr, uint32_t n, wn_iov_t *out, uint32_t cap, uint32_t *count) {
  uint8_t *list;
  wn_err_t err = wn_mem_array(m, ptr, n, 8, 4, &list);
  if (WN_UNLIKELY(err)) return err;
  if (WN_UNLIKELY(n > WN_MEM_IOVS_MAX)) return WN_EINVAL;
  uint32_t used = 0, room = SUM_MAX;
  for (uint32_t i = 0; i < n; i++, list += 8) {
    uint32_t at = wn_load32(list), len = wn_load32(list + 4);
    uint8_t *bytes;
    err = wn_mem_bytes(m, at, len, &bytes);
    if (WN_UNLIKELY(err)) return err;
    if (len > room) len = room;
    if (len == 0 || used == cap) continue; /* what follows is still looked for in memory */
    out[used].ptr = bytes;
    out[used].len = len;
    used++;
    room -= len;
  }
  *count = used;
  return 0;
}

wn_err_t wn_mem_string(const wn_mem_t *m, uint32_t ptr, uint32_t len, char *out, size_t cap) {
  uint8_t *bytes;
  wn_err_t err = wn_mem_bytes(m, ptr, len, &bytes);
  if (WN_UNLIKELY(err)) return err;
  if (WN_UNLIKELY(len >= cap)) return WN_ENAMETOOLONG;
  if (len) memcpy(out, bytes, len);
  out[len] = 0;
  if (WN_UNLIKELY(memchr(out, 0, len) != NULL)) return WN_EINVAL;
  return WN_LIKELY(wn_utf8_valid((const uint8_t *)out, len)) ? 0 : WN_EILSEQ;
}

/* The well-formed sequences of the Unicode standard, table 3-7: the first byte fixes the length and the range of the
 * second; all others are 80..BF. */
bool wn_utf8_valid(const uint8_t *p, size_t len) {
  size_t i = 0;
  while (i < len) {
    uint8_t first = p[i];
    if (first < 0x80) { /* most text is ASCII, and much of it comes at once */
      uint64_t words[4];
      size_t before = i;
      for (; len - i >= sizeof words; i += sizeof words) {
        memcpy(words, p + i, sizeof words);
        if ((words[0] | words[1] | words[2] | words[3]) & ASCII_NOT) break;
      }
      for (; len - i >= sizeof *words; i += sizeof *words) {
        memcpy(words, p + i, sizeof *words);
        if (*words & ASCII_NOT) break;
      }
      if (i == before) i++;
      continue;
    }
    size_t rest = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || len - i <= rest) return false;
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (p[i + 1] < low || p[i + 1] > high) return false;
    for (size_t k = 2; k <= rest; k++) {
      if ((p[i + k] & 0xc0) != 0x80) return false;
    }
    i += rest + 1;
  }
  return true;
}
