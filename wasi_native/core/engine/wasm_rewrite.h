/* wasm_rewrite.h - shared by the files of the rewriter alone: a module on its way, and what is written of it. */
#ifndef WN_CORE_WASM_REWRITE_H
#define WN_CORE_WASM_REWRITE_H

#include "core/engine/wasm_guard.h"
#include "core/engine/wasm_opcode.h"

typedef struct wn_rewrite {
  const wn_wasm_guard_t *how;
  const wn_os_t *os;
  const wn_wasm_t *module;
  wn_cursor_t c;
  const uint8_t *from; /* what is between it and c.at has been read, and not been written */
  uint8_t *out;
  size_t len, room;
  bool no_memory;
  bool starts;                  /* it has a start section that becomes an export */
  uint32_t started;             /* its function, as in the module */
  uint32_t global, check, turn; /* ours, in the result */
  uint8_t look[40];             /* the code that looks whether to go on */
  size_t look_len;
  uint64_t loops[WN_GUARD_NESTING_MAX / 64]; /* by depth: whether the block there is a loop */
} wn_rewrite_t;

/* ---- wasm_rewrite.c ---- */

void wn_rewrite_fail(wn_rewrite_t *r, const uint8_t *at, const char *why);
/* Room for so many bytes more; false when there is none, with the reason kept. */
bool wn_rewrite_reserve(wn_rewrite_t *r, size_t more);
void wn_rewrite_put(wn_rewrite_t *r, const uint8_t *bytes, size_t count);
void wn_rewrite_byte(wn_rewrite_t *r, uint8_t byte);
void wn_rewrite_number(wn_rewrite_t *r, uint64_t value);
size_t wn_rewrite_encode(uint8_t *out, uint64_t value); /* at most 10 bytes */
/* What was read up to there is copied. */
void wn_rewrite_copy(wn_rewrite_t *r, const uint8_t *until);
/* What was read from `start` on is not copied: the caller writes something else. */
void wn_rewrite_replace(wn_rewrite_t *r, const uint8_t *start);
/* Around something that has its size before it. */
size_t wn_rewrite_open(wn_rewrite_t *r);
void wn_rewrite_close(wn_rewrite_t *r, size_t start);
/* A function's index, read from `start` on, to be written as `prefix` and the index that it has in the result;
 * prefix 0: none. */
void wn_rewrite_function(wn_rewrite_t *r, const uint8_t *start, uint8_t prefix, uint32_t index);
void wn_rewrite_check_global(wn_rewrite_t *r, const wn_op_t *op);
void wn_rewrite_check_types(wn_rewrite_t *r);

/* ---- wasm_rewrite_code.c ---- */

void wn_rewrite_code_init(wn_rewrite_t *r);
/* One body of the code section. */
void wn_rewrite_body(wn_rewrite_t *r);
/* i32.const, with what the global starts with. */
void wn_rewrite_start(wn_rewrite_t *r);
/* The body of a function of ours: calls check, then counts anew. */
void wn_rewrite_turn(wn_rewrite_t *r);

#endif
