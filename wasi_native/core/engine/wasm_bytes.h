/* wasm_bytes.h - the bytes of a core module taken one after another: numbers, names, types, sections.
 *
 * A cursor keeps the first thing that is wrong, and then is at its end: whoever reads on gets zeros, and looks at
 * `why` once in a while. So no reader needs a check after each step, and no loop outlives an error.
 *
 *   module   \0asm 1 0 0 0 | [id 1][size leb][content] ...
 */
#ifndef WN_CORE_WASM_BYTES_H
#define WN_CORE_WASM_BYTES_H

#include "core/engine/adapter.h"

/* What came after the first version of WebAssembly, by the bits of a mask. */
enum {
  WN_PROPOSAL_SIGN_EXTENSION = 1 << 0,
  WN_PROPOSAL_SATURATION = 1 << 1, /* float to integer without traps */
  WN_PROPOSAL_MULTI_VALUE = 1 << 2,
  WN_PROPOSAL_BULK_MEMORY = 1 << 3,
  WN_PROPOSAL_REFERENCE_TYPES = 1 << 4,
  WN_PROPOSAL_SIMD = 1 << 5,
  WN_PROPOSAL_RELAXED_SIMD = 1 << 6,
  WN_PROPOSAL_THREADS = 1 << 7,
  WN_PROPOSAL_TAIL_CALL = 1 << 8,
  WN_PROPOSAL_EXCEPTIONS = 1 << 9, /* either form of it */
  WN_PROPOSAL_EXTENDED_CONST = 1 << 10,
  WN_PROPOSAL_MEMORY64 = 1 << 11,
  WN_PROPOSAL_MULTI_MEMORY = 1 << 12,
  WN_PROPOSAL_FUNCTION_REFERENCES = 1 << 13,
  WN_PROPOSAL_GC = 1 << 14,
  WN_PROPOSAL_WIDE_ARITHMETIC = 1 << 15,
  WN_PROPOSAL_ALL = (1 << 16) - 1
};

enum {
  WN_SECTION_TYPE = 1,
  WN_SECTION_IMPORT = 2,
  WN_SECTION_FUNCTION = 3,
  WN_SECTION_TABLE = 4,
  WN_SECTION_MEMORY = 5,
  WN_SECTION_GLOBAL = 6,
  WN_SECTION_EXPORT = 7,
  WN_SECTION_START = 8,
  WN_SECTION_ELEMENT = 9,
  WN_SECTION_CODE = 10,
  WN_SECTION_DATA = 11,
  WN_SECTION_DATA_COUNT = 12,
  WN_SECTION_TAG = 13
};

/* Kinds of imports and exports, as in the bytes. */
enum { WN_WASM_FUNC = 0, WN_WASM_TABLE = 1, WN_WASM_MEMORY = 2, WN_WASM_GLOBAL = 3, WN_WASM_TAG = 4 };

#define WN_NO_FUNCTION UINT32_MAX

typedef struct wn_cursor {
  const uint8_t *start, *at, *end; /* the module; the next byte; the end of what is read now */
  const uint8_t *module_end;
  uint32_t rank;     /* of the last section */
  uint32_t allowed;  /* WN_PROPOSAL_* */
  bool copy_fill;    /* memory.copy and memory.fill are allowed, whatever else of bulk memory is */
  uint32_t function; /* whose body is read, for messages; WN_NO_FUNCTION */
  uint64_t type_top; /* one more than the highest type index met */
  const char *why;   /* the first thing that is wrong, static; NULL so far */
  uint32_t needs;    /* or the proposal that is not allowed */
  size_t where;      /* its offset */
} wn_cursor_t;

/* The limits of a table or memory; max UINT64_MAX: none. */
typedef struct wn_wasm_limits {
  const uint8_t *start; /* of the limits alone */
  uint64_t min, max;
  bool shared, wide;
  bool plain; /* in 32 bits; of a table: and its elements are funcref or externref */
} wn_wasm_limits_t;

/* At the start of the first section; wrong at once for what is no core module or is over `cap` bytes. */
void wn_cursor_init(wn_cursor_t *c, wn_str_t wasm, size_t cap, uint32_t allowed);
/* The place of a section in a module, from 1 on; and the other way round. 0: no such section. */
uint32_t wn_section_rank(uint8_t id);
uint8_t wn_section_id(uint32_t rank);
/* The next section that is not a custom one, with its content from at to end; 0 past the last. What is left of the
 * one before is wrong, unless wn_cursor_pass() passed it over. */
uint8_t wn_cursor_section(wn_cursor_t *c);
static inline void wn_cursor_pass(wn_cursor_t *c) { c->at = c->end; }

void wn_cursor_fail(wn_cursor_t *c, const uint8_t *at, const char *why);
/* What is at `at` is of these proposals: wrong where one of them is not allowed. */
void wn_cursor_need(wn_cursor_t *c, const uint8_t *at, uint32_t proposals);
/* INVALID with what is wrong and where, and the cure; 0 when nothing is. */
wn_err_t wn_cursor_message(const wn_cursor_t *c, wn_message_t *message);

static inline uint8_t wn_cursor_byte(wn_cursor_t *c) {
  if (WN_LIKELY(c->at < c->end)) return *c->at++;
  wn_cursor_fail(c, c->at, "it ends too early");
  return 0;
}
static inline uint8_t wn_cursor_peek(const wn_cursor_t *c) { return c->at < c->end ? *c->at : 0; }

uint64_t wn_cursor_leb(wn_cursor_t *c, unsigned bits); /* unsigned */
int64_t wn_cursor_signed(wn_cursor_t *c, unsigned bits);
static inline uint32_t wn_cursor_u32(wn_cursor_t *c) {
  if (WN_LIKELY(c->at < c->end && *c->at < 0x80)) return *c->at++;
  return (uint32_t)wn_cursor_leb(c, 32);
}
void wn_cursor_skip(wn_cursor_t *c, uint64_t length);
wn_str_t wn_cursor_name(wn_cursor_t *c);
/* A count of things of which each takes so many bytes at least; more than can follow is wrong. */
uint32_t wn_cursor_count(wn_cursor_t *c, uint32_t bytes);

/* An index of a type; checked by whoever knows how many there are, by type_top. */
uint32_t wn_cursor_type(wn_cursor_t *c);
void wn_cursor_heap_type(wn_cursor_t *c);
/* 'i' 'I' 'f' 'F', 'v' v128, 'r' funcref or externref, '?' another reference. */
char wn_cursor_value_type(wn_cursor_t *c);
/* Whether a table starts with the mark that an expression for its elements follows its type; the mark is passed. */
bool wn_cursor_table_filled(wn_cursor_t *c);
void wn_cursor_memory(wn_cursor_t *c, wn_wasm_limits_t *out);
/* The type of the elements, then limits. */
void wn_cursor_table(wn_cursor_t *c, wn_wasm_limits_t *out);
/* A list of value types, into letters (NULL: not wanted); cut with '+'. False when one of them is 'v' or '?'. */
bool wn_cursor_value_types(wn_cursor_t *c, uint32_t count, char *letters, size_t cap);

#endif
