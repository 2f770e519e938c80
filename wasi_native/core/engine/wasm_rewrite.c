/* wasm_rewrite.c - see wasm_rewrite.h.
 *
 *   from            c.at
 *    |  to be copied |  not read yet
 */
#include <string.h>

#include "core/engine/wasm_rewrite.h"

#define RESULT_MAX ((size_t)512 << 20)
#define SIZE_BYTES 5u /* kept free for a size that is not known yet */

void wn_rewrite_fail(wn_rewrite_t *r, const uint8_t *at, const char *why) { wn_cursor_fail(&r->c, at, why); }

bool wn_rewrite_reserve(wn_rewrite_t *r, size_t more) {
  if (more <= r->room - r->len) return true;
  if (more > RESULT_MAX - r->len) {
    wn_rewrite_fail(r, r->c.at, "it is too large");
    return false;
  }
  size_t room = r->room + r->room / 2 + more;
  if (room > RESULT_MAX) room = RESULT_MAX;
  uint8_t *out = r->os->resize(r->os, r->out, room);
  if (!out) {
    r->no_memory = true;
    wn_rewrite_fail(r, r->c.at, "no memory");
    return false;
  }
  r->out = out;
  r->room = room;
  return true;
}

void wn_rewrite_put(wn_rewrite_t *r, const uint8_t *bytes, size_t count) {
  if (count == 0 || !wn_rewrite_reserve(r, count)) return;
  memcpy(r->out + r->len, bytes, count);
  r->len += count;
}

void wn_rewrite_byte(wn_rewrite_t *r, uint8_t byte) { wn_rewrite_put(r, &byte, 1); }

size_t wn_rewrite_encode(uint8_t *out, uint64_t value) {
  size_t count = 0;
  do {
    out[count++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>= 7;
  } while (value);
  return count;
}

void wn_rewrite_number(wn_rewrite_t *r, uint64_t value) {
  uint8_t bytes[10];
  wn_rewrite_put(r, bytes, wn_rewrite_encode(bytes, value));
}

void wn_rewrite_copy(wn_rewrite_t *r, const uint8_t *until) {
  if (r->c.why) return;
  wn_rewrite_put(r, r->from, (size_t)(until - r->from));
  r->from = until;
}

void wn_rewrite_replace(wn_rewrite_t *r, const uint8_t *start) {
  wn_rewrite_copy(r, start);
  r->from = r->c.at;
}

size_t wn_rewrite_open(wn_rewrite_t *r) {
  static const uint8_t NOTHING[SIZE_BYTES] = {0};
  wn_rewrite_put(r, NOTHING, sizeof NOTHING);
  return r->len;
}

void wn_rewrite_close(wn_rewrite_t *r, size_t start) {
  if (r->c.why) return;
  uint8_t size[10];
  size_t length = r->len - start, used = wn_rewrite_encode(size, length);
  memcpy(r->out + start - SIZE_BYTES, size, used);
  memmove(r->out + start - SIZE_BYTES + used, r->out + start, length);
  r->len -= SIZE_BYTES - used;
}

void wn_rewrite_function(wn_rewrite_t *r, const uint8_t *start, uint8_t prefix, uint32_t index) {
  if (index >= r->module->func_count) wn_rewrite_fail(r, start, "there is no such function");
  if (index < r->module->func_imports || r->c.why) return;
  wn_rewrite_replace(r, start);
  if (prefix) wn_rewrite_byte(r, prefix);
  wn_rewrite_number(r, (uint64_t)index + 1);
}

void wn_rewrite_check_global(wn_rewrite_t *r, const wn_op_t *op) {
  if (op->a >= r->module->global_count) wn_rewrite_fail(r, op->start, "there is no such global");
}

void wn_rewrite_check_types(wn_rewrite_t *r) {
  if (r->c.type_top > r->module->type_count) wn_rewrite_fail(r, r->c.at, "there is no such type");
}
