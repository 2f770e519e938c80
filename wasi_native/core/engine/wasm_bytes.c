/* wasm_bytes.c - see wasm_bytes.h. */
#include <string.h>

#include "core/engine/wasm_bytes.h"

/* Each bit of WN_PROPOSAL_*, lowest first: its name, and what makes a module that does without. */
static const struct {
  const char *name, *cure;
} PROPOSALS[] = {
    {"sign extension", "build with zig cc -mcpu=mvp or clang -mno-sign-ext, or run wasm-opt --signext-lowering"},
    {"saturating float-to-int",
     "build with zig cc -mcpu=mvp or clang -mno-nontrapping-fptoint, or run wasm-opt "
     "--llvm-nontrapping-fptoint-lowering"},
    {"multi-value", "build with zig cc -mcpu=mvp or clang -mno-multivalue"},
    {"bulk memory",
     "build with zig cc -mcpu=mvp or clang -mno-bulk-memory, or run wasm-opt "
     "--llvm-memory-copy-fill-lowering"},
    {"reference types", "build with zig cc -mcpu=mvp or clang -mno-reference-types"},
    {"SIMD (v128)", "build with zig cc -mcpu=mvp or clang -mno-simd128"},
    {"relaxed SIMD", "build with zig cc -mcpu=mvp or clang -mno-relaxed-simd"},
    {"threads (atomics or shared memory)", "build without -pthread, with zig cc -mcpu=mvp or clang -mno-atomics"},
    {"tail calls", "build with zig cc -mcpu=mvp or clang -mno-tail-call"},
    {"exceptions", "build with -fno-exceptions"},
    {"extended constant expressions", "build with zig cc -mcpu=mvp or clang -mno-extended-const"},
    {"64-bit memory or tables", "build for wasm32"},
    {"several memories", "build with one memory, or run wasm-opt --multi-memory-lowering"},
    {"typed function references", "use an engine that has them (wasmtime)"},
    {"garbage collection", "use an engine that has it (wasmtime), or a compiler that brings its own collector"},
    {"wide arithmetic", "build with zig cc -mcpu=mvp or clang -mno-wide-arithmetic"},
};

static const uint8_t ORDER[] = {
    0,
    WN_SECTION_TYPE,
    WN_SECTION_IMPORT,
    WN_SECTION_FUNCTION,
    WN_SECTION_TABLE,
    WN_SECTION_MEMORY,
    WN_SECTION_TAG,
    WN_SECTION_GLOBAL,
    WN_SECTION_EXPORT,
    WN_SECTION_START,
    WN_SECTION_ELEMENT,
    WN_SECTION_DATA_COUNT,
    WN_SECTION_CODE,
    WN_SECTION_DATA,
};

uint32_t wn_section_rank(uint8_t id) {
  for (uint32_t rank = 1; rank < sizeof ORDER; rank++)
    if (ORDER[rank] == id) return rank;
  return 0;
}

uint8_t wn_section_id(uint32_t rank) { return rank < sizeof ORDER ? ORDER[rank] : 0; }

void wn_cursor_fail(wn_cursor_t *c, const uint8_t *at, const char *why) {
  if (!c->why) {
    c->why = why;
    c->where = (size_t)(at - c->start);
  }
  c->at = c->end;
}

void wn_cursor_need(wn_cursor_t *c, const uint8_t *at, uint32_t proposals) {
  uint32_t missing = proposals & ~c->allowed;
  if (WN_LIKELY(!missing) || c->why) return;
  c->needs = missing & (0u - missing);
  wn_cursor_fail(c, at, "it needs a proposal");
}

wn_err_t wn_cursor_message(const wn_cursor_t *c, wn_message_t *message) {
  if (!c->why) return 0;
  uint32_t bit = 0;
  while (c->needs >> bit > 1) bit++;
  bool in_function = c->function != WN_NO_FUNCTION;
  if (c->needs && in_function)
    return wn_message_set(message, WN_INVALID,
                          "the module needs %s, which this engine does not run (function %u, offset %zu): %s",
                          PROPOSALS[bit].name, (unsigned)c->function, c->where, PROPOSALS[bit].cure);
  if (c->needs)
    return wn_message_set(message, WN_INVALID, "the module needs %s, which this engine does not run (offset %zu): %s",
                          PROPOSALS[bit].name, c->where, PROPOSALS[bit].cure);
  if (in_function)
    return wn_message_set(message, WN_INVALID, "not a module that can run: %s (function %u, offset %zu)", c->why,
                          (unsigned)c->function, c->where);
  return wn_message_set(message, WN_INVALID, "not a module that can run: %s (offset %zu)", c->why, c->where);
}

void wn_cursor_init(wn_cursor_t *c, wn_str_t wasm, size_t cap, uint32_t allowed) {
  static const uint8_t HEAD[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
  memset(c, 0, sizeof *c);
  c->start = c->at = c->end = (const uint8_t *)wasm.ptr;
  c->allowed = allowed;
  c->function = WN_NO_FUNCTION;
  if (wasm.len < sizeof HEAD || memcmp(wasm.ptr, HEAD, sizeof HEAD) != 0) {
    wn_cursor_fail(c, c->at, "it does not start like a core module");
  } else if (wasm.len > cap) {
    wn_cursor_fail(c, c->at + cap, "it is too large");
  } else {
    c->module_end = c->start + wasm.len;
    c->at = c->end = c->start + sizeof HEAD;
  }
}

uint8_t wn_cursor_section(wn_cursor_t *c) {
  if (c->at < c->end) wn_cursor_fail(c, c->at, "a section is longer than what is in it");
  while (!c->why && c->end < c->module_end) {
    const uint8_t *first = c->at = c->end;
    c->end = c->module_end;
    uint8_t id = wn_cursor_byte(c);
    uint32_t size = wn_cursor_u32(c);
    if (size > (size_t)(c->end - c->at)) wn_cursor_fail(c, first, "a section is longer than the module");
    if (c->why) return 0;
    c->end = c->at + size;
    if (id == 0) {
      wn_cursor_name(c);
      wn_cursor_pass(c);
      continue;
    }
    uint32_t rank = wn_section_rank(id);
    if (rank <= c->rank) {
      wn_cursor_fail(c, first, rank ? "a section is not in its place, or there twice" : "it has an unknown section");
      return 0;
    }
    c->rank = rank;
    return id;
  }
  return 0;
}

/* The digits of a number, lowest first, as many as its bits need at most; *last is the last one, at bit *shift. */
static uint64_t digits(wn_cursor_t *c, unsigned bits, uint8_t *last, unsigned *shift) {
  uint64_t value = 0;
  for (*shift = 0;; *shift += 7) {
    *last = wn_cursor_byte(c);
    value |= (uint64_t)(*last & 0x7f) << *shift;
    if (!(*last & 0x80) || *shift + 7 >= bits) return value;
  }
}

/* What the last digit has more than the number has bits is no part of another number: it must be 0, or like the sign.
 */
uint64_t wn_cursor_leb(wn_cursor_t *c, unsigned bits) {
  const uint8_t *first = c->at;
  uint8_t last;
  unsigned shift;
  uint64_t value = digits(c, bits, &last, &shift);
  if (last >> (bits - shift < 7 ? bits - shift : 7)) wn_cursor_fail(c, first, "a number is too long");
  return c->why ? 0 : value;
}

int64_t wn_cursor_signed(wn_cursor_t *c, unsigned bits) {
  const uint8_t *first = c->at;
  uint8_t last;
  unsigned shift;
  uint64_t value = digits(c, bits, &last, &shift);
  unsigned sign = bits - shift < 7 ? bits - shift - 1 : 6;
  if (last >> sign != 0 && last >> sign != 0x7f >> sign) wn_cursor_fail(c, first, "a number is too long");
  if (last & 0x40 && shift + 7 < 64) value |= UINT64_MAX << (shift + 7);
  return c->why ? 0 : (int64_t)value;
}

void wn_cursor_skip(wn_cursor_t *c, uint64_t length) {
  if (length > (uint64_t)(c->end - c->at)) wn_cursor_fail(c, c->at, "it ends too early");
  else c->at += length;
}

wn_str_t wn_cursor_name(wn_cursor_t *c) {
  uint32_t len = wn_cursor_u32(c);
  const char *first = (const char *)c->at;
  wn_cursor_skip(c, len);
  if (!c->why && !wn_utf8_valid((const uint8_t *)first, len))
    wn_cursor_fail(c, (const uint8_t *)first, "a name is not UTF-8");
  return c->why ? (wn_str_t){"", 0} : (wn_str_t){first, len};
}

uint32_t wn_cursor_count(wn_cursor_t *c, uint32_t bytes) {
  const uint8_t *first = c->at;
  uint32_t count = wn_cursor_u32(c);
  if ((uint64_t)count * bytes <= (uint64_t)(c->end - c->at)) return count;
  wn_cursor_fail(c, first, "there are fewer things than it says");
  return 0;
}

uint32_t wn_cursor_type(wn_cursor_t *c) {
  uint32_t index = wn_cursor_u32(c);
  if ((uint64_t)index + 1 > c->type_top) c->type_top = (uint64_t)index + 1;
  return index;
}

/* A kind of reference by its byte; the proposal that brings it, 0 for none that is known. */
static uint32_t heap_proposal(uint8_t code) {
  switch (code) {
    case 0x70: /* func, extern */
    case 0x6f:
      return WN_PROPOSAL_REFERENCE_TYPES;
    case 0x69: /* exn, noexn */
    case 0x74:
      return WN_PROPOSAL_EXCEPTIONS;
    case 0x6a: /* array, struct, i31, eq, any; none, noextern, nofunc */
    case 0x6b:
    case 0x6c:
    case 0x6d:
    case 0x6e:
    case 0x71:
    case 0x72:
    case 0x73:
      return WN_PROPOSAL_GC;
    default:
      return 0;
  }
}

void wn_cursor_heap_type(wn_cursor_t *c) {
  const uint8_t *first = c->at;
  int64_t heap = wn_cursor_signed(c, 33);
  if (heap >= 0) {
    wn_cursor_need(c, first, WN_PROPOSAL_FUNCTION_REFERENCES);
    if ((uint64_t)heap + 1 > c->type_top) c->type_top = (uint64_t)heap + 1;
    return;
  }
  uint32_t proposal = heap >= -64 ? heap_proposal((uint8_t)(heap & 0x7f)) : 0;
  if (proposal) wn_cursor_need(c, first, proposal);
  else wn_cursor_fail(c, first, "it has an unknown type");
}

char wn_cursor_value_type(wn_cursor_t *c) {
  const uint8_t *first = c->at;
  uint8_t code = wn_cursor_byte(c);
  switch (code) {
    case 0x7f:
      return 'i';
    case 0x7e:
      return 'I';
    case 0x7d:
      return 'f';
    case 0x7c:
      return 'F';
    case 0x7b:
      wn_cursor_need(c, first, WN_PROPOSAL_SIMD);
      return 'v';
    case 0x63: { /* (ref null HEAP) */
      bool plain = wn_cursor_peek(c) == 0x70 || wn_cursor_peek(c) == 0x6f;
      wn_cursor_need(c, first, WN_PROPOSAL_FUNCTION_REFERENCES);
      wn_cursor_heap_type(c);
      return plain ? 'r' : '?';
    }
    case 0x64: /* (ref HEAP) */
      wn_cursor_need(c, first, WN_PROPOSAL_FUNCTION_REFERENCES);
      wn_cursor_heap_type(c);
      return '?';
    default: {
      uint32_t proposal = heap_proposal(code);
      if (proposal) wn_cursor_need(c, first, proposal);
      else wn_cursor_fail(c, first, "it has an unknown type");
      return proposal == WN_PROPOSAL_REFERENCE_TYPES ? 'r' : '?';
    }
  }
}

bool wn_cursor_table_filled(wn_cursor_t *c) {
  if (wn_cursor_peek(c) != 0x40) return false;
  wn_cursor_need(c, c->at, WN_PROPOSAL_FUNCTION_REFERENCES);
  wn_cursor_skip(c, 2);
  return true;
}

bool wn_cursor_value_types(wn_cursor_t *c, uint32_t count, char *letters, size_t cap) {
  bool plain = true;
  for (uint32_t i = 0; i < count && !c->why; i++) {
    char letter = wn_cursor_value_type(c);
    plain &= letter != 'v' && letter != '?';
    if (letters && i < cap - 1) letters[i] = strchr("vr?", letter) ? '?' : letter;
  }
  if (!letters) return plain;
  letters[count < cap - 1 ? count : cap - 1] = 0;
  if (count > cap - 1) letters[cap - 2] = '+';
  return plain;
}

static void limits(wn_cursor_t *c, bool memory, wn_wasm_limits_t *out) {
  const uint8_t *first = c->at;
  uint8_t flags = wn_cursor_byte(c);
  *out = (wn_wasm_limits_t){.start = first, .max = UINT64_MAX, .shared = flags & 2, .wide = flags & 4};
  if (flags > 7 || (out->shared && (!memory || !(flags & 1)))) {
    wn_cursor_fail(c, first, "it has unknown limits");
    return;
  }
  if (out->shared) wn_cursor_need(c, first, WN_PROPOSAL_THREADS);
  if (out->wide) wn_cursor_need(c, first, WN_PROPOSAL_MEMORY64);
  unsigned bits = out->wide ? 64 : 32;
  out->min = wn_cursor_leb(c, bits);
  if (flags & 1) out->max = wn_cursor_leb(c, bits);
  out->plain = out->min <= UINT32_MAX && (!(flags & 1) || out->max <= UINT32_MAX);
  if (out->min > out->max) wn_cursor_fail(c, first, "a minimum is over its maximum");
}

void wn_cursor_memory(wn_cursor_t *c, wn_wasm_limits_t *out) { limits(c, true, out); }

void wn_cursor_table(wn_cursor_t *c, wn_wasm_limits_t *out) {
  bool first_version = wn_cursor_peek(c) == 0x70;
  char letter = 'r';
  if (first_version) c->at++;
  else letter = wn_cursor_value_type(c);
  limits(c, false, out);
  out->plain &= letter == 'r';
}
