/* wasm_valid.c - see wasm_valid.h. The algorithm is that of the specification's appendix: a stack of types, a stack
 * of blocks. Types are letters, iIfF; '?' is what unreachable code gives. */
#include "core/engine/wasm_valid.h"

#include <string.h>

#include "core/engine/wasm_opcode.h"

#define VALUES_MAX 1000000u
#define LOCALS_MAX 50000u
#define UNKNOWN '?'

/* Value types as the module's bytes have them: read by letter(). */
typedef struct types {
  const uint8_t *at;
  uint32_t count;
} types_t;
typedef struct block {
  types_t params, results;
  uint32_t height; /* of the values when it began */
  uint8_t code;    /* 2 block, 3 loop, 4 if, 5 else */
  bool dead;       /* what follows is never reached */
} block_t;
typedef struct valid {
  const wn_wasm_t *module;
  const wn_os_t *os;
  wn_cursor_t c;
  char *values, *locals, *globals; /* globals: letters; mutable ones with the top bit */
  block_t *blocks;
  uint32_t value_count, value_room, block_count, block_room, deepest, local_count, global_imports;
  bool no_memory;
} valid_t;

static char letter(uint8_t byte) { return byte >= 0x7c && byte <= 0x7f ? "FfIi"[byte - 0x7c] : UNKNOWN; }

static void fail(valid_t *v, const char *why) { wn_cursor_fail(&v->c, v->c.at, why); }

/* Room for one more of `size` bytes each; NULL: none. */
static void *grow(valid_t *v, void *list, uint32_t count, uint32_t *room, size_t size, uint32_t most) {
  if (count < *room) return list;
  const uint32_t more = *room ? *room * 2 : 64;
  void *moved = more > 2 * most ? NULL : v->os->resize(v->os, list, more * size);
  if (moved) *room = more;
  else v->no_memory = true;
  if (!moved) fail(v, "a function is too large");
  return moved ? moved : list;
}

/* ---- values ---- */

static block_t *top(valid_t *v) { return &v->blocks[v->block_count - 1]; }

static void push(valid_t *v, char type) {
  v->values = grow(v, v->values, v->value_count, &v->value_room, 1, VALUES_MAX);
  if (!v->c.why) v->values[v->value_count++] = type;
}

static char pop(valid_t *v, char wanted) {
  if (v->c.why) return UNKNOWN;
  if (v->value_count == top(v)->height) {
    if (!top(v)->dead) fail(v, "an operand is missing");
    return wanted;
  }
  const char type = v->values[--v->value_count];
  if (type == UNKNOWN) return wanted;
  if (wanted != UNKNOWN && type != wanted) fail(v, "an operand has another type");
  return type;
}

static void push_all(valid_t *v, types_t types) {
  for (uint32_t i = 0; i < types.count && !v->c.why; i++) push(v, letter(types.at[i]));
}

static void pop_all(valid_t *v, types_t types) {
  for (uint32_t i = types.count; i && !v->c.why; i--) pop(v, letter(types.at[i - 1]));
}

static void unreachable(valid_t *v) {
  if (v->c.why) return;
  v->value_count = top(v)->height;
  top(v)->dead = true;
}

/* ---- blocks ---- */

static types_t types_at(wn_cursor_t *c) {
  types_t types = {NULL, wn_cursor_count(c, 1)};
  types.at = c->at;
  wn_cursor_skip(c, types.count);
  return types;
}

/* A function's type, of which the reader has found that it is one. */
static void signature(valid_t *v, uint32_t index, types_t *params, types_t *results) {
  *params = *results = (types_t){NULL, 0};
  if (index >= v->module->type_count || !v->module->types[index]) {
    fail(v, "there is no such type");
    return;
  }
  wn_cursor_t c = v->c;
  c.at = c.start + (v->module->types[index] & 0x7fffffffu);
  c.end = c.module_end;
  *params = types_at(&c);
  *results = types_at(&c);
}

static void open_block(valid_t *v, uint8_t code, types_t params, types_t results) {
  v->blocks = grow(v, v->blocks, v->block_count, &v->block_room, sizeof *v->blocks, LOCALS_MAX);
  if (v->c.why) return;
  v->blocks[v->block_count++] = (block_t){params, results, v->value_count, code, false};
  if (v->block_count > v->deepest) v->deepest = v->block_count;
  push_all(v, params);
}

static void block(valid_t *v, const wn_op_t *op) {
  types_t params = {NULL, 0}, results = {op->start + 1, 1};
  const uint8_t byte = op->start[1];
  if (byte == 0x40) results.count = 0;
  else if (letter(byte) == UNKNOWN) {
    wn_cursor_t c = v->c;
    c.at = op->start + 1;
    signature(v, (uint32_t)wn_cursor_signed(&c, 33), &params, &results);
  }
  if (op->code == 4) pop(v, 'i');
  pop_all(v, params);
  open_block(v, op->code, params, results);
}

/* The values that a block leaves; nothing else may be left. */
static void finish(valid_t *v) {
  pop_all(v, top(v)->results);
  if (!v->c.why && v->value_count != top(v)->height) fail(v, "a block leaves more values than its type says");
}

static bool same(types_t a, types_t b) {
  if (a.count != b.count) return false;
  for (uint32_t i = 0; i < a.count; i++)
    if (a.at[i] != b.at[i]) return false;
  return true;
}

static void else_block(valid_t *v) {
  finish(v);
  if (!v->c.why && top(v)->code != 4) fail(v, "else without if");
  if (v->c.why) return;
  top(v)->code = 5;
  top(v)->dead = false;
  push_all(v, top(v)->params);
}

static void end_block(valid_t *v) {
  finish(v);
  if (v->c.why) return;
  const block_t ended = *top(v);
  if (ended.code == 4 && !same(ended.params, ended.results)) fail(v, "an if without else gives values");
  if (--v->block_count) push_all(v, ended.results);
}

static types_t label(valid_t *v, uint32_t depth) {
  if (depth >= v->block_count) {
    fail(v, "there is no such label");
    return (types_t){NULL, 0};
  }
  const block_t *target = &v->blocks[v->block_count - 1 - depth];
  return target->code == 3 ? target->params : target->results;
}

/* Each label takes the values that are there, and all take as many. */
static void branch_table(valid_t *v, const wn_op_t *op) {
  char taken[1001];
  wn_cursor_t c = v->c;
  c.at = op->start + 1;
  pop(v, 'i');
  uint32_t arity = 0;
  uint32_t count = wn_cursor_u32(&c);
  for (uint32_t i = 0; i <= count && !v->c.why; i++) {
    const types_t types = label(v, wn_cursor_u32(&c));
    if (i && types.count != arity) fail(v, "labels of one branch take other numbers of values");
    arity = types.count;
    if (arity > 1000) fail(v, "a label takes over 1000 values");
    for (uint32_t k = arity; k && !v->c.why; k--) {
      const bool none = v->value_count == top(v)->height;
      taken[k] = none ? UNKNOWN : v->values[v->value_count - 1];
      pop(v, letter(types.at[k - 1]));
    }
    for (uint32_t k = 1; k <= arity && !v->c.why; k++) push(v, taken[k]);
  }
  unreachable(v);
}

/* ---- instructions ---- */

typedef struct shape {
  char in[4], out;
} shape_t;

/* Of what has no index, block or label. */
static const shape_t SHAPES[256] = {
    [0x28] = {"i", 'i'},
    [0x29] = {"i", 'I'},
    [0x2a] = {"i", 'f'},
    [0x2b] = {"i", 'F'},
    [0x2c ... 0x2f] = {"i", 'i'},
    [0x30 ... 0x35] = {"i", 'I'},
    [0x36] = {"ii", 0},
    [0x37] = {"iI", 0},
    [0x38] = {"if", 0},
    [0x39] = {"iF", 0},
    [0x3a ... 0x3b] = {"ii", 0},
    [0x3c ... 0x3e] = {"iI", 0},
    [0x3f] = {"", 'i'},
    [0x40] = {"i", 'i'},
    [0x41] = {"", 'i'},
    [0x42] = {"", 'I'},
    [0x43] = {"", 'f'},
    [0x44] = {"", 'F'},
    [0x45] = {"i", 'i'},
    [0x46 ... 0x4f] = {"ii", 'i'},
    [0x50] = {"I", 'i'},
    [0x51 ... 0x5a] = {"II", 'i'},
    [0x5b ... 0x60] = {"ff", 'i'},
    [0x61 ... 0x66] = {"FF", 'i'},
    [0x67 ... 0x69] = {"i", 'i'},
    [0x6a ... 0x78] = {"ii", 'i'},
    [0x79 ... 0x7b] = {"I", 'I'},
    [0x7c ... 0x8a] = {"II", 'I'},
    [0x8b ... 0x91] = {"f", 'f'},
    [0x92 ... 0x98] = {"ff", 'f'},
    [0x99 ... 0x9f] = {"F", 'F'},
    [0xa0 ... 0xa6] = {"FF", 'F'},
    [0xa7] = {"I", 'i'},
    [0xa8 ... 0xa9] = {"f", 'i'},
    [0xaa ... 0xab] = {"F", 'i'},
    [0xac ... 0xad] = {"i", 'I'},
    [0xae ... 0xaf] = {"f", 'I'},
    [0xb0 ... 0xb1] = {"F", 'I'},
    [0xb2 ... 0xb3] = {"i", 'f'},
    [0xb4 ... 0xb5] = {"I", 'f'},
    [0xb6] = {"F", 'f'},
    [0xb7 ... 0xb8] = {"i", 'F'},
    [0xb9 ... 0xba] = {"I", 'F'},
    [0xbb] = {"f", 'F'},
    [0xbc] = {"f", 'i'},
    [0xbd] = {"F", 'I'},
    [0xbe] = {"i", 'f'},
    [0xbf] = {"I", 'F'},
    [0xc0 ... 0xc1] = {"i", 'i'},
    [0xc2 ... 0xc4] = {"I", 'I'},
};
/* After 0xfc: conversions that saturate; memory.copy, memory.fill. */
static const shape_t SATURATING[12] = {
    [0 ... 1] = {"f", 'i'}, [2 ... 3] = {"F", 'i'}, [4 ... 5] = {"f", 'I'},
    [6 ... 7] = {"F", 'I'}, [10] = {"iii", 0},      [11] = {"iii", 0},
};
/* Of 0x28 to 0x3e: the size of an access, as a power of 2. */
static const uint8_t ALIGNMENTS[] = {2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2};

static void plain(valid_t *v, shape_t shape) {
  if (!shape.in[0] && !shape.out) {
    fail(v, "it has an unknown instruction");
    return;
  }
  for (size_t n = strlen(shape.in); n; n--) pop(v, shape.in[n - 1]);
  if (shape.out) push(v, shape.out);
}

static void memory_op(valid_t *v, const wn_op_t *op) {
  if (!v->module->memory_count) fail(v, "there is no memory");
  if (op->code >= 0x28 && op->code <= 0x3e && (op->start[1] & 0x7f) > ALIGNMENTS[op->code - 0x28])
    fail(v, "an access is aligned to more than its size");
}

static void call(valid_t *v, uint32_t type) {
  types_t params, results;
  signature(v, type, &params, &results);
  pop_all(v, params);
  push_all(v, results);
}

static char local(valid_t *v, uint32_t index) {
  if (index < v->local_count) return v->locals[index];
  fail(v, "there is no such local variable");
  return UNKNOWN;
}

static char global(valid_t *v, uint32_t index, bool set) {
  if (index >= v->module->global_count) fail(v, "there is no such global");
  else if (set && !(v->globals[index] & 0x80)) fail(v, "a global is set that is constant");
  return v->c.why ? UNKNOWN : (char)(v->globals[index] & 0x7f);
}

static void select(valid_t *v) {
  pop(v, 'i');
  const char type = pop(v, UNKNOWN);
  const char other = pop(v, type);
  push(v, type == UNKNOWN ? other : type);
}

static void instruction(valid_t *v, const wn_op_t *op) {
  types_t types;
  switch (op->code) {
    case 0x00:
      unreachable(v);
      break;
    case 0x01:
      break;
    case 0x02:
    case 0x03:
    case 0x04:
      block(v, op);
      break;
    case 0x05:
      else_block(v);
      break;
    case 0x0b:
      end_block(v);
      break;
    case 0x0c:
      pop_all(v, label(v, op->a));
      unreachable(v);
      break;
    case 0x0d:
      pop(v, 'i');
      types = label(v, op->a);
      pop_all(v, types);
      push_all(v, types);
      break;
    case 0x0e:
      branch_table(v, op);
      break;
    case 0x0f:
      pop_all(v, v->blocks[0].results);
      unreachable(v);
      break;
    case 0x10:
      if (op->a < v->module->func_count) call(v, v->module->funcs[op->a]);
      else fail(v, "there is no such function");
      break;
    case 0x11:
      if (op->b >= v->module->table_count) fail(v, "there is no such table");
      pop(v, 'i');
      call(v, op->a);
      break;
    case 0x1a:
      pop(v, UNKNOWN);
      break;
    case 0x1b:
      select(v);
      break;
    case 0x20:
      push(v, local(v, op->a));
      break;
    case 0x21:
      pop(v, local(v, op->a));
      break;
    case 0x22:
      pop(v, local(v, op->a));
      push(v, local(v, op->a));
      break;
    case 0x23:
      push(v, global(v, op->a, false));
      break;
    case 0x24:
      pop(v, global(v, op->a, true));
      break;
    case 0xfc:
      if (op->sub >= 10) memory_op(v, op);
      plain(v, op->sub < 12 ? SATURATING[op->sub] : (shape_t){{0}, 0});
      break;
    default:
      if (op->code >= 0x28 && op->code <= 0x40) memory_op(v, op);
      plain(v, SHAPES[op->code]);
  }
}

/* ---- bodies ---- */

static void add_locals(valid_t *v, uint32_t count, char type) {
  if (type == UNKNOWN) fail(v, "a local variable is no number");
  if (v->local_count + (uint64_t)count > LOCALS_MAX) fail(v, "a function has over 50000 local variables");
  if (v->c.why) return;
  memset(v->locals + v->local_count, type, count);
  v->local_count += count;
}

static void body(valid_t *v, uint32_t index) {
  const uint8_t *section_end = v->c.end;
  const uint32_t size = wn_cursor_u32(&v->c);
  if (size > (size_t)(section_end - v->c.at)) fail(v, "a function is longer than its section");
  if (v->c.why) return;
  v->c.end = v->c.at + size;
  v->c.function = index;
  types_t params, results;
  signature(v, v->module->funcs[index], &params, &results);
  v->local_count = v->value_count = v->block_count = 0;
  for (uint32_t i = 0; i < params.count; i++) add_locals(v, 1, letter(params.at[i]));
  for (uint32_t n = wn_cursor_count(&v->c, 2); n && !v->c.why; n--) {
    const uint32_t count = wn_cursor_u32(&v->c);
    add_locals(v, count, wn_cursor_value_type(&v->c));
  }
  open_block(v, 2, (types_t){NULL, 0}, results);
  while (v->block_count && !v->c.why) {
    wn_op_t op;
    wn_op_next(&v->c, &op);
    if (!v->c.why) instruction(v, &op);
  }
  if (!v->c.why && v->c.at != v->c.end) fail(v, "a function goes on after its end");
  if (v->c.why) return;
  v->c.end = section_end;
  v->c.function = WN_NO_FUNCTION;
}

/* ---- sections ---- */

/* One constant, or an imported global that never changes. */
static void constant(valid_t *v, char type) {
  wn_op_t op;
  uint32_t count = 0;
  char found = UNKNOWN;
  while (wn_op_constant(&v->c, &op)) {
    count++;
    if (op.shape == WN_SHAPE_GLOBAL) {
      if (op.a >= v->global_imports || v->globals[op.a] & 0x80) fail(v, "a constant is of a global that is none");
      else found = v->globals[op.a];
    } else {
      found = SHAPES[op.code].out;
    }
  }
  if (!v->c.why && (count != 1 || found != type)) fail(v, "a constant has another type");
}

static char global_type(wn_cursor_t *c) {
  const char type = wn_cursor_value_type(c);
  const uint8_t changes = wn_cursor_byte(c);
  if (type == UNKNOWN || changes > 1) wn_cursor_fail(c, c->at, "a global is of an unknown type");
  return (char)(type | (changes ? 0x80 : 0));
}

static void import_section(valid_t *v) {
  for (uint32_t i = 0; i < v->module->import_count && !v->c.why; i++) {
    v->c.at = v->c.start + v->module->imports[i];
    wn_cursor_name(&v->c);
    wn_cursor_name(&v->c);
    if (wn_cursor_byte(&v->c) == WN_WASM_GLOBAL) v->globals[v->global_imports++] = global_type(&v->c);
  }
  wn_cursor_pass(&v->c);
}

static void global_section(valid_t *v) {
  uint32_t index = v->global_imports;
  for (uint32_t n = wn_cursor_count(&v->c, 3); n && !v->c.why; n--) {
    const char type = global_type(&v->c);
    if (v->c.why) return;
    v->globals[index++] = type;
    constant(v, (char)(type & 0x7f));
  }
}

static void start_section(valid_t *v) {
  types_t params = {NULL, 0}, results = {NULL, 0};
  const uint32_t index = wn_cursor_u32(&v->c);
  if (index >= v->module->func_count) fail(v, "there is no such function");
  else signature(v, v->module->funcs[index], &params, &results);
  if (params.count || results.count) fail(v, "the function that starts takes or gives values");
}

static void element_section(valid_t *v) {
  for (uint32_t n = wn_cursor_count(&v->c, 3); n && !v->c.why; n--) {
    if (wn_cursor_u32(&v->c)) fail(v, "a segment of elements is not of the first version");
    if (!v->module->table_count) fail(v, "there is no table");
    constant(v, 'i');
    for (uint32_t k = wn_cursor_count(&v->c, 1); k && !v->c.why; k--)
      if (wn_cursor_u32(&v->c) >= v->module->func_count) fail(v, "there is no such function");
  }
}

static void data_section(valid_t *v) {
  for (uint32_t n = wn_cursor_count(&v->c, 3); n && !v->c.why; n--) {
    if (wn_cursor_u32(&v->c)) fail(v, "a segment of data is not of the first version");
    if (!v->module->memory_count) fail(v, "there is no memory");
    constant(v, 'i');
    wn_cursor_skip(&v->c, wn_cursor_u32(&v->c));
  }
}

static void section(valid_t *v, uint8_t id) {
  const wn_wasm_t *m = v->module;
  switch (id) {
    case WN_SECTION_IMPORT:
      import_section(v);
      break;
    case WN_SECTION_GLOBAL:
      global_section(v);
      break;
    case WN_SECTION_START:
      start_section(v);
      break;
    case WN_SECTION_ELEMENT:
      element_section(v);
      break;
    case WN_SECTION_CODE:
      if (wn_cursor_count(&v->c, 1) != m->func_count - m->func_imports)
        fail(v, "it has not a body for each function");
      for (uint32_t i = m->func_imports; i < m->func_count && !v->c.why; i++) body(v, i);
      break;
    case WN_SECTION_DATA:
      data_section(v);
      break;
    default:
      wn_cursor_pass(&v->c);
  }
}

wn_err_t wn_wasm_valid(const wn_wasm_t *module, uint32_t *deepest, wn_message_t *message) {
  const wn_os_t *os = module->os;
  valid_t v = {.module = module, .os = os};
  v.locals = os->alloc(os, LOCALS_MAX);
  v.globals = os->alloc(os, (size_t)module->global_count + 1);
  wn_cursor_init(&v.c, module->bytes, SIZE_MAX, WN_WASM_VALID_PROPOSALS);
  v.c.copy_fill = true;
  bool bodies = module->func_count == module->func_imports;
  if (!v.locals || !v.globals) v.no_memory = true;
  else
    for (uint8_t id; (id = wn_cursor_section(&v.c)) != 0;) {
      bodies |= id == WN_SECTION_CODE;
      section(&v, id);
    }
  if (!bodies && !v.no_memory) fail(&v, "it has not a body for each function");
  *deepest = v.deepest;
  os->free(os, v.locals);
  os->free(os, v.globals);
  os->free(os, v.values);
  os->free(os, v.blocks);
  return v.no_memory ? wn_message_set(message, WN_NOMEM, "no memory for a module") : wn_cursor_message(&v.c, message);
}
