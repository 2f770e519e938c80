/* canon_string.c - strings in three encodings. The guest's realloc is asked for the sizes that the Canonical ABI
 * says, in its order: a guess first, the worst case when a character does not fit it, then what was really needed. */
#include "core/mem/canon_walk.h"

/* ---- lifting: copied once, looked at in the copy ---- */

/* Whether UTF-8 that is not valid could be, if it went on. */
static bool utf8_cut_off(const uint8_t *p, uint32_t len) {
  for (uint32_t tail = 1; tail <= 3 && tail <= len; tail++) {
    uint8_t whole[4] = {0x80, 0x80, 0x80, 0x80};
    memcpy(whole, p + len - tail, tail);
    uint32_t needed = whole[0] >= 0xf0 ? 4 : whole[0] >= 0xe0 ? 3 : whole[0] >= 0xc2 ? 2 : 0;
    if (needed <= tail) continue;
    if (tail == 1) whole[1] = whole[0] == 0xe0 ? 0xa0 : whole[0] == 0xf0 ? 0x90 : 0x80;
    return wn_utf8_valid(whole, needed) && wn_utf8_valid(p, len - tail);
  }
  return false;
}

static bool utf16_valid(const uint8_t *p, uint32_t units) {
  for (uint32_t i = 0; i < units; i++) {
    uint32_t unit = wn_load16(p + 2 * (size_t)i);
    if (WN_LIKELY(unit < 0xd800 || unit > 0xdfff)) continue;
    if (unit > 0xdbff || i + 1 == units) return false;
    uint32_t low = wn_load16(p + 2 * (size_t)++i);
    if (low < 0xdc00 || low > 0xdfff) return false;
  }
  return true;
}

wn_err_t wn_canon_lift_string(wn_walk_t *walk, uint32_t ptr, uint32_t units) {
  wn_canon_cx_t *cx = walk->cx;
  uint8_t encoding = WN_TEXT_UTF8;
  if (cx->encoding == WN_UTF16) {
    encoding = WN_TEXT_UTF16;
  } else if (cx->encoding == WN_LATIN1_UTF16) {
    encoding = units & WN_UTF16_TAG ? WN_TEXT_UTF16_MAYBE : WN_TEXT_LATIN1;
    units &= ~WN_UTF16_TAG;
  }
  bool wide = encoding == WN_TEXT_UTF16 || encoding == WN_TEXT_UTF16_MAYBE;
  uint64_t size = (uint64_t)units << wide;
  uint8_t *from, *to;
  wn_err_t err = wn_canon_span(cx, WN_PLACE_STRING, ptr, size, encoding == WN_TEXT_UTF8 ? 1 : 2, &from);
  if (WN_LIKELY(!err)) err = wn_canon_put(walk, 5 + size, &to);
  if (WN_UNLIKELY(err)) return err;
  to[0] = encoding;
  wn_store32(to + 1, units);
  to += 5;
  if (size) memcpy(to, from, (size_t)size);
  if (wide) return WN_LIKELY(utf16_valid(to, units)) ? 0 : wn_canon_trap(cx, "invalid utf-16: an unpaired surrogate");
  if (encoding == WN_TEXT_LATIN1 || WN_LIKELY(wn_utf8_valid(to, units))) return 0;
  return wn_canon_trap(cx, utf8_cut_off(to, units) ? "incomplete utf-8 byte sequence" : "invalid utf-8");
}

/* ---- lowering ---- */

/* A string of the stream, read character by character. */
typedef struct source {
  const uint8_t *at, *end;
  uint32_t units;
  uint8_t encoding;
} source_t;

#define NO_CHAR 0xffffffffu

static uint32_t next_utf8(source_t *in) {
  uint32_t first = *in->at, more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  if (first < 0x80) {
    in->at++;
    return first;
  }
  if ((size_t)(in->end - in->at) <= more || !wn_utf8_valid(in->at, more + 1)) return NO_CHAR;
  uint32_t c = first & (0x3fu >> more);
  for (uint32_t i = 1; i <= more; i++) c = c << 6 | (in->at[i] & 0x3fu);
  in->at += more + 1;
  return c;
}

static uint32_t next_utf16(source_t *in) {
  uint32_t unit = wn_load16(in->at);
  if (WN_LIKELY(unit < 0xd800 || unit > 0xdfff)) {
    in->at += 2;
    return unit;
  }
  if (in->end - in->at < 4 || !utf16_valid(in->at, 2)) return NO_CHAR;
  uint32_t low = wn_load16(in->at + 2);
  in->at += 4;
  return 0x10000u + ((unit & 0x3ffu) << 10 | (low & 0x3ffu));
}

/* The next character; NO_CHAR where the stream is wrong. Not at the end. */
static uint32_t next(source_t *in) {
  if (in->encoding == WN_TEXT_UTF8) return next_utf8(in);
  if (in->encoding == WN_TEXT_LATIN1) return *in->at++;
  return next_utf16(in);
}

static uint8_t *put_utf8(uint8_t *out, uint32_t c) {
  if (c < 0x80) {
    *out++ = (uint8_t)c;
    return out;
  }
  if (c < 0x800) {
    *out++ = (uint8_t)(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      *out++ = (uint8_t)(0xe0 | c >> 12);
    } else {
      *out++ = (uint8_t)(0xf0 | c >> 18);
      *out++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    }
    *out++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
  }
  *out++ = (uint8_t)(0x80 | (c & 0x3f));
  return out;
}

static uint8_t *put_utf16(uint8_t *out, uint32_t c) {
  if (c >= 0x10000) {
    wn_store16(out, (uint16_t)(0xd7c0 + (c >> 10)));
    out += 2;
    c = 0xdc00 | (c & 0x3ff);
  }
  wn_store16(out, (uint16_t)c);
  return out + 2;
}

/* The rest of a string, to room for its worst case. *end: behind the last byte. */
static wn_err_t put_rest(source_t *in, uint8_t *(*put)(uint8_t *, uint32_t), uint8_t *out, uint8_t **end) {
  while (in->at < in->end) {
    uint32_t c = next(in);
    if (WN_UNLIKELY(c == NO_CHAR)) return WN_INVALID;
    out = put(out, c);
  }
  *end = out;
  return 0;
}

/* Bytes as they are. */
static wn_err_t lower_copy(wn_canon_cx_t *cx, const source_t *in, uint32_t align, uint32_t *ptr, uint32_t *units) {
  uint8_t *out;
  uint32_t size = (uint32_t)(in->end - in->at);
  wn_err_t err = wn_canon_realloc(cx, WN_PLACE_STRING, 0, 0, align, size, ptr, &out);
  if (WN_UNLIKELY(err)) return err;
  if (size) memcpy(out, in->at, size);
  *units = in->units;
  return 0;
}

/* From UTF-16 or Latin-1: as many bytes as units while all is ASCII. */
static wn_err_t lower_utf8(wn_canon_cx_t *cx, source_t *in, uint32_t *ptr, uint32_t *units) {
  uint32_t guess = in->units, worst = guess * (in->encoding == WN_TEXT_LATIN1 ? 2 : 3),
           step = in->encoding == WN_TEXT_LATIN1 ? 1 : 2;
  uint8_t *out, *end;
  wn_err_t err = wn_canon_realloc(cx, WN_PLACE_STRING, 0, 0, 1, guess, ptr, &out);
  if (WN_UNLIKELY(err)) return err;
  uint32_t i = 0;
  for (; i < guess; i++, in->at += step) {
    if (in->at[0] >= 0x80 || (step == 2 && in->at[1])) break;
    out[i] = in->at[0];
  }
  *units = guess;
  if (i == guess) return 0;
  err = wn_canon_realloc(cx, WN_PLACE_STRING, *ptr, guess, 1, worst, ptr, &out);
  if (WN_LIKELY(!err)) err = put_rest(in, put_utf8, out + i, &end);
  if (WN_UNLIKELY(err)) return err;
  *units = (uint32_t)(end - out);
  if (*units == worst) return 0;
  return wn_canon_realloc(cx, WN_PLACE_STRING, *ptr, worst, 1, *units, ptr, &out);
}

/* From UTF-8 or Latin-1, which both need at most a unit for a byte. */
static wn_err_t lower_utf16(wn_canon_cx_t *cx, source_t *in, uint32_t *ptr, uint32_t *units) {
  uint32_t worst = 2 * in->units;
  uint8_t *out, *end;
  wn_err_t err = wn_canon_realloc(cx, WN_PLACE_STRING, 0, 0, 2, worst, ptr, &out);
  if (WN_LIKELY(!err)) err = put_rest(in, put_utf16, out, &end);
  if (WN_UNLIKELY(err)) return err;
  uint32_t size = (uint32_t)(end - out);
  *units = size / 2;
  if (size == worst) return 0;
  return wn_canon_realloc(cx, WN_PLACE_STRING, *ptr, worst, 2, size, ptr, &out);
}

/* From UTF-8 or UTF-16: Latin-1 as long as it serves, else all of it as UTF-16. */
static wn_err_t lower_latin1_or_utf16(wn_canon_cx_t *cx, source_t *in, uint32_t *ptr, uint32_t *units) {
  uint32_t guess = in->units, worst = 2 * guess, count = 0;
  uint8_t *out, *end;
  wn_err_t err = wn_canon_realloc(cx, WN_PLACE_STRING, 0, 0, 2, guess, ptr, &out);
  if (WN_UNLIKELY(err)) return err;
  while (in->at < in->end) {
    source_t before = *in;
    uint32_t c = next(in);
    if (WN_UNLIKELY(c == NO_CHAR)) return WN_INVALID;
    if (c < 0x100) {
      out[count++] = (uint8_t)c;
      continue;
    }
    *in = before;
    err = wn_canon_realloc(cx, WN_PLACE_STRING, *ptr, guess, 2, worst, ptr, &out);
    if (WN_UNLIKELY(err)) return err;
    for (uint32_t i = count; i-- > 0;) wn_store16(out + 2 * (size_t)i, out[i]);
    err = put_rest(in, put_utf16, out + 2 * (size_t)count, &end);
    if (WN_UNLIKELY(err)) return err;
    uint32_t size = (uint32_t)(end - out);
    *units = size / 2 | WN_UTF16_TAG;
    if (size == worst) return 0;
    return wn_canon_realloc(cx, WN_PLACE_STRING, *ptr, worst, 2, size, ptr, &out);
  }
  *units = count;
  if (count == guess) return 0;
  return wn_canon_realloc(cx, WN_PLACE_STRING, *ptr, guess, 2, count, ptr, &out);
}

/* UTF-16 of a guest that would have said Latin-1 had it looked: both are likely. */
static wn_err_t lower_probably_utf16(wn_canon_cx_t *cx, const source_t *in, uint32_t *ptr, uint32_t *units) {
  uint32_t size = (uint32_t)(in->end - in->at), count = in->units;
  uint8_t *out;
  wn_err_t err = wn_canon_realloc(cx, WN_PLACE_STRING, 0, 0, 2, size, ptr, &out);
  if (WN_UNLIKELY(err)) return err;
  if (size) memcpy(out, in->at, size);
  *units = count | WN_UTF16_TAG;
  for (uint32_t i = 0; i < count; i++) {
    if (in->at[2 * (size_t)i + 1]) return 0;
  }
  for (uint32_t i = 0; i < count; i++) out[i] = in->at[2 * (size_t)i];
  *units = count;
  return wn_canon_realloc(cx, WN_PLACE_STRING, *ptr, size, 1, count, ptr, &out);
}

wn_err_t wn_canon_lower_string(wn_walk_t *walk, uint32_t *ptr, uint32_t *units) {
  wn_canon_cx_t *cx = walk->cx;
  const uint8_t *head = wn_values_get(walk->values, 5);
  if (WN_UNLIKELY(!head || head[0] > WN_TEXT_UTF16_MAYBE)) return WN_INVALID;
  source_t in = {.encoding = head[0], .units = wn_load32(head + 1)};
  bool wide = in.encoding == WN_TEXT_UTF16 || in.encoding == WN_TEXT_UTF16_MAYBE;
  uint64_t size = (uint64_t)in.units << wide;
  in.at = size > SIZE_MAX ? NULL : wn_values_get(walk->values, (size_t)size);
  if (WN_UNLIKELY(!in.at)) return WN_INVALID;
  if (WN_UNLIKELY(size > WN_BYTES_MAX)) return wn_canon_trap(cx, "string too long");
  in.end = in.at + size;
  switch (cx->encoding) {
    case WN_UTF8:
      if (in.encoding == WN_TEXT_UTF8) return lower_copy(cx, &in, 1, ptr, units);
      return lower_utf8(cx, &in, ptr, units);
    case WN_UTF16:
      return wide ? lower_copy(cx, &in, 2, ptr, units) : lower_utf16(cx, &in, ptr, units);
    default:
      if (in.encoding == WN_TEXT_LATIN1) return lower_copy(cx, &in, 2, ptr, units);
      if (in.encoding == WN_TEXT_UTF16_MAYBE) return lower_probably_utf16(cx, &in, ptr, units);
      return lower_latin1_or_utf16(cx, &in, ptr, units);
  }
}
