/* wasm_rewrite_code.c - the bodies of functions: where they look whether to go on, and whom they call. */
#include <string.h>

#include "core/engine/wasm_rewrite.h"

#define LOCALS_MAX 50000u
#define MEMORY_GROW 0x40

void wn_rewrite_code_init(wn_rewrite_t *r) {
  uint8_t *p = r->look;
  *p++ = 0x23; /* global.get */
  p += wn_rewrite_encode(p, r->global);
  if (r->how->check == WN_GUARD_COUNT) *p++ = 0x45; /* i32.eqz */
  *p++ = 0x04;                                      /* if */
  *p++ = 0x40;
  *p++ = 0x10; /* call */
  p += wn_rewrite_encode(p, r->how->check == WN_GUARD_COUNT ? r->turn : r->check);
  *p++ = 0x0b; /* end */
  if (r->how->check == WN_GUARD_COUNT) {
    *p++ = 0x23;
    p += wn_rewrite_encode(p, r->global);
    *p++ = 0x41; /* i32.const 1 */
    *p++ = 1;
    *p++ = 0x6b; /* i32.sub */
    *p++ = 0x24; /* global.set */
    p += wn_rewrite_encode(p, r->global);
  }
  r->look_len = (size_t)(p - r->look);
}

/* i32.const of the counter's start; its highest bit is none of the last byte's sign. */
void wn_rewrite_start(wn_rewrite_t *r) {
  wn_rewrite_byte(r, 0x41);
  wn_rewrite_number(r, r->how->check == WN_GUARD_COUNT ? WN_GUARD_PERIOD : 0);
}

/* Calls check, then counts anew. */
void wn_rewrite_turn(wn_rewrite_t *r) {
  size_t start = wn_rewrite_open(r);
  wn_rewrite_byte(r, 0);
  wn_rewrite_byte(r, 0x10);
  wn_rewrite_number(r, r->check);
  wn_rewrite_start(r);
  wn_rewrite_byte(r, 0x24);
  wn_rewrite_number(r, r->global);
  wn_rewrite_byte(r, 0x0b);
  wn_rewrite_close(r, start);
}

/* Indices that old engines read as one byte are written in as few as they need. */
static void shorten(wn_rewrite_t *r, const wn_op_t *op) {
  bool two = op->shape != WN_SHAPE_TABLE && op->shape != WN_SHAPE_MEMORY;
  uint8_t bytes[24];
  size_t count = 0;
  bytes[count++] = op->code;
  if (op->code >= 0xfb) count += wn_rewrite_encode(bytes + count, op->sub);
  count += wn_rewrite_encode(bytes + count, op->a);
  if (two) count += wn_rewrite_encode(bytes + count, op->b);
  if (r->c.why || (size_t)(r->c.at - op->start) == count) return;
  wn_rewrite_replace(r, op->start);
  wn_rewrite_put(r, bytes, count);
}

/* Where frames are counted, a group more, of i64: its count is written into the five bytes at *frame afterwards. */
static void locals(wn_rewrite_t *r, size_t *frame) {
  const uint8_t *start = r->c.at;
  uint64_t total = 0;
  const uint32_t groups = wn_cursor_count(&r->c, 2);
  if (r->how->call_bytes) {
    wn_rewrite_replace(r, start);
    wn_rewrite_number(r, (uint64_t)groups + 1);
  }
  for (uint32_t n = groups; n && !r->c.why; n--) {
    start = r->c.at;
    total += wn_cursor_u32(&r->c);
    if (total > LOCALS_MAX) wn_rewrite_fail(r, start, "a function has over 50000 local variables");
    wn_cursor_value_type(&r->c);
  }
  wn_rewrite_copy(r, r->c.at);
  *frame = r->len;
  if (r->how->call_bytes) wn_rewrite_put(r, (const uint8_t[]){0x80, 0x80, 0x80, 0x80, 0, 0x7e}, 6);
}

static void widen_frame(wn_rewrite_t *r, size_t frame, uint32_t loops) {
  uint32_t count = (r->how->call_bytes + loops * r->how->loop_bytes + 7) / 8;
  for (size_t i = 0; i < 4; i++, count >>= 7) r->out[frame + i] = (uint8_t)(0x80 | (count & 0x7f));
}

static void open_block(wn_rewrite_t *r, uint32_t depth, bool loop) {
  const uint64_t bit = (uint64_t)1 << depth % 64;
  if (depth >= WN_GUARD_NESTING_MAX) return;
  if (loop) r->loops[depth / 64] |= bit;
  else r->loops[depth / 64] &= ~bit;
}

static bool loop_at(const wn_rewrite_t *r, uint32_t depth) {
  return depth < WN_GUARD_NESTING_MAX && r->loops[depth / 64] >> depth % 64 & 1;
}

/* Up to the end of the function; true when it calls something. *most: loops in loops. */
static bool instructions(wn_rewrite_t *r, uint32_t *most) {
  wn_op_t op;
  bool calls = false;
  uint32_t loops = 0;
  for (uint32_t depth = 1; depth && !r->c.why;) {
    wn_op_next(&r->c, &op);
    switch (op.shape) {
      case WN_SHAPE_LOOP:
        wn_rewrite_copy(r, r->c.at);
        wn_rewrite_put(r, r->look, r->look_len);
        open_block(r, depth++, true);
        if (++loops > *most) *most = loops;
        break;
      case WN_SHAPE_BLOCK:
      case WN_SHAPE_TRY:
        open_block(r, depth++, false);
        break;
      case WN_SHAPE_END:
      case WN_SHAPE_DELEGATE:
        depth--;
        if (depth && loop_at(r, depth)) loops--;
        break;
      case WN_SHAPE_CALL:
        calls = true;
        wn_rewrite_function(r, op.start, op.code, op.a);
        break;
      case WN_SHAPE_FUNC:
        wn_rewrite_function(r, op.start, op.code, op.a);
        break;
      case WN_SHAPE_TYPED:
        calls = true;
        break;
      case WN_SHAPE_INDIRECT:
        calls = true;
        shorten(r, &op);
        break;
      case WN_SHAPE_MEMORY:
        shorten(r, &op);
        if (op.code == MEMORY_GROW && r->how->grow) {
          wn_rewrite_copy(r, r->c.at);
          wn_rewrite_byte(r, 0x10);
          wn_rewrite_number(r, r->check);
        }
        break;
      case WN_SHAPE_TABLE:
      case WN_SHAPE_TABLES:
      case WN_SHAPE_SEGMENT_TABLE:
      case WN_SHAPE_MEMORIES:
      case WN_SHAPE_SEGMENT_MEMORY:
        shorten(r, &op);
        break;
      case WN_SHAPE_GLOBAL:
        wn_rewrite_check_global(r, &op);
        break;
      default:
        break;
    }
    if (r->how->nesting && depth > r->how->nesting) wn_rewrite_fail(r, op.start, "its blocks are nested too deep");
  }
  return calls;
}

void wn_rewrite_body(wn_rewrite_t *r) {
  const uint8_t *first = r->c.at, *section_end = r->c.end;
  uint32_t size = wn_cursor_u32(&r->c);
  if (size > (size_t)(section_end - r->c.at)) wn_rewrite_fail(r, first, "a function is longer than its section");
  if (r->c.why) return;
  r->c.end = r->c.at + size;
  r->from = r->c.at;
  size_t start = wn_rewrite_open(r);
  size_t frame = 0;
  uint32_t loops = 0;
  locals(r, &frame);
  size_t entry = r->len;
  wn_rewrite_put(r, r->look, r->look_len);
  bool calls = instructions(r, &loops);
  if (r->c.at < r->c.end) wn_rewrite_fail(r, r->c.at, "a function goes on after its end");
  wn_rewrite_check_types(r);
  wn_rewrite_copy(r, r->c.at);
  if (r->c.why) return;
  if (!calls) { /* it ends by itself, or looks in a loop */
    memmove(r->out + entry, r->out + entry + r->look_len, r->len - entry - r->look_len);
    r->len -= r->look_len;
  } else if (r->how->call_bytes) {
    widen_frame(r, frame, loops);
  }
  wn_rewrite_close(r, start);
  r->c.end = section_end;
}
