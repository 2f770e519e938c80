/* wasm_opcode.c - see wasm_opcode.h. Numbers are those of the core specification, and of the proposals' overviews. */
#include "core/engine/wasm_opcode.h"

typedef struct code {
  uint8_t shape; /* wn_shape_t */
  uint8_t constant;
  uint16_t needs; /* WN_PROPOSAL_* */
} code_t;

#define OF(shape, constant, needs) {WN_SHAPE_##shape, constant, needs}
#define P(name) WN_PROPOSAL_##name

/* What a constant expression may hold. */
enum { NEVER = 0, CONSTANT = 1, EXTENDED = 2 };

static const code_t CODES[256] = {
    [0x00 ... 0x01] = OF(PLAIN, 0, 0), /* unreachable, nop */
    [0x02] = OF(BLOCK, 0, 0),
    [0x03] = OF(LOOP, 0, 0),
    [0x04] = OF(BLOCK, 0, 0),             /* if */
    [0x05] = OF(PLAIN, 0, 0),             /* else */
    [0x06] = OF(BLOCK, 0, P(EXCEPTIONS)), /* try, catch, throw, rethrow, throw_ref */
    [0x07] = OF(INDEX, 0, P(EXCEPTIONS)),
    [0x08] = OF(INDEX, 0, P(EXCEPTIONS)),
    [0x09] = OF(INDEX, 0, P(EXCEPTIONS)),
    [0x0a] = OF(PLAIN, 0, P(EXCEPTIONS)),
    [0x0b] = OF(END, CONSTANT, 0),
    [0x0c ... 0x0d] = OF(INDEX, 0, 0), /* br, br_if */
    [0x0e] = OF(LABELS, 0, 0),
    [0x0f] = OF(PLAIN, 0, 0), /* return */
    [0x10] = OF(CALL, 0, 0),
    [0x11] = OF(INDIRECT, 0, 0),
    [0x12] = OF(CALL, 0, P(TAIL_CALL)),
    [0x13] = OF(INDIRECT, 0, P(TAIL_CALL)),
    [0x14] = OF(TYPED, 0, P(FUNCTION_REFERENCES)), /* call_ref, return_call_ref */
    [0x15] = OF(TYPED, 0, P(FUNCTION_REFERENCES) | P(TAIL_CALL)),
    [0x18] = OF(DELEGATE, 0, P(EXCEPTIONS)),
    [0x19] = OF(PLAIN, 0, P(EXCEPTIONS)), /* catch_all */
    [0x1a ... 0x1b] = OF(PLAIN, 0, 0),    /* drop, select */
    [0x1c] = OF(SELECT, 0, P(REFERENCE_TYPES)),
    [0x1f] = OF(TRY, 0, P(EXCEPTIONS)),
    [0x20 ... 0x22] = OF(INDEX, 0, 0), /* local.get, .set, .tee */
    [0x23] = OF(GLOBAL, CONSTANT, 0),
    [0x24] = OF(GLOBAL, 0, 0),
    [0x25 ... 0x26] = OF(TABLE, 0, P(REFERENCE_TYPES)), /* table.get, .set */
    [0x28 ... 0x3e] = OF(ACCESS, 0, 0),                 /* i32.load to i64.store32 */
    [0x3f ... 0x40] = OF(MEMORY, 0, 0),                 /* memory.size, .grow */
    [0x41] = OF(I32, CONSTANT, 0),
    [0x42] = OF(I64, CONSTANT, 0),
    [0x43] = OF(BYTES_4, CONSTANT, 0),
    [0x44] = OF(BYTES_8, CONSTANT, 0),
    [0x45 ... 0x69] = OF(PLAIN, 0, 0),        /* comparisons, i32.clz ... */
    [0x6a ... 0x6c] = OF(PLAIN, EXTENDED, 0), /* i32.add, .sub, .mul */
    [0x6d ... 0x7b] = OF(PLAIN, 0, 0),
    [0x7c ... 0x7e] = OF(PLAIN, EXTENDED, 0), /* i64.add, .sub, .mul */
    [0x7f ... 0xbf] = OF(PLAIN, 0, 0),
    [0xc0 ... 0xc4] = OF(PLAIN, 0, P(SIGN_EXTENSION)),
    [0xd0] = OF(HEAP, CONSTANT, P(REFERENCE_TYPES)), /* ref.null */
    [0xd1] = OF(PLAIN, 0, P(REFERENCE_TYPES)),       /* ref.is_null */
    [0xd2] = OF(FUNC, CONSTANT, P(REFERENCE_TYPES)),
    [0xd3] = OF(PLAIN, 0, P(GC)),                           /* ref.eq */
    [0xd4] = OF(PLAIN, 0, P(FUNCTION_REFERENCES)),          /* ref.as_non_null */
    [0xd5 ... 0xd6] = OF(INDEX, 0, P(FUNCTION_REFERENCES)), /* br_on_null, br_on_non_null */
    [0xfb ... 0xfe] = OF(PREFIX, 0, 0),
};

static const code_t GC[] = {
    [0 ... 1] = OF(TYPE, CONSTANT, P(GC)),    /* struct.new, .new_default */
    [2 ... 5] = OF(TYPE_INDEX, 0, P(GC)),     /* struct.get, .get_s, .get_u, .set */
    [6 ... 7] = OF(TYPE, CONSTANT, P(GC)),    /* array.new, .new_default */
    [8] = OF(TYPE_INDEX, CONSTANT, P(GC)),    /* array.new_fixed */
    [9 ... 10] = OF(TYPE_INDEX, 0, P(GC)),    /* array.new_data, .new_elem */
    [11 ... 14] = OF(TYPE, 0, P(GC)),         /* array.get, .get_s, .get_u, .set */
    [15] = OF(PLAIN, 0, P(GC)),               /* array.len */
    [16] = OF(TYPE, 0, P(GC)),                /* array.fill */
    [17] = OF(TYPES, 0, P(GC)),               /* array.copy */
    [18 ... 19] = OF(TYPE_INDEX, 0, P(GC)),   /* array.init_data, .init_elem */
    [20 ... 23] = OF(HEAP, 0, P(GC)),         /* ref.test, ref.cast */
    [24 ... 25] = OF(CAST, 0, P(GC)),         /* br_on_cast, br_on_cast_fail */
    [26 ... 28] = OF(PLAIN, CONSTANT, P(GC)), /* any.convert_extern, extern.convert_any, ref.i31 */
    [29 ... 30] = OF(PLAIN, 0, P(GC)),        /* i31.get_s, .get_u */
};

static const code_t MISC[] = {
    [0 ... 7] = OF(PLAIN, 0, P(SATURATION)),
    [8] = OF(SEGMENT_MEMORY, 0, P(BULK_MEMORY)),    /* memory.init */
    [9] = OF(INDEX, 0, P(BULK_MEMORY)),             /* data.drop */
    [10] = OF(MEMORIES, 0, P(BULK_MEMORY)),         /* memory.copy */
    [11] = OF(MEMORY, 0, P(BULK_MEMORY)),           /* memory.fill */
    [12] = OF(SEGMENT_TABLE, 0, P(BULK_MEMORY)),    /* table.init */
    [13] = OF(INDEX, 0, P(BULK_MEMORY)),            /* elem.drop */
    [14] = OF(TABLES, 0, P(BULK_MEMORY)),           /* table.copy */
    [15 ... 17] = OF(TABLE, 0, P(REFERENCE_TYPES)), /* table.grow, .size, .fill */
    [19 ... 22] = OF(PLAIN, 0, P(WIDE_ARITHMETIC)),
};

static const code_t SIMD[] = {
    [0x00 ... 0x0b] = OF(ACCESS, 0, P(SIMD)), /* v128.load to .store */
    [0x0c] = OF(BYTES_16, CONSTANT, P(SIMD)), /* v128.const */
    [0x0d] = OF(BYTES_16, 0, P(SIMD)),        /* i8x16.shuffle */
    [0x0e ... 0x14] = OF(PLAIN, 0, P(SIMD)),
    [0x15 ... 0x22] = OF(LANE, 0, P(SIMD)), /* extract and replace */
    [0x23 ... 0x53] = OF(PLAIN, 0, P(SIMD)),
    [0x54 ... 0x5b] = OF(ACCESS_LANE, 0, P(SIMD)), /* v128.load8_lane to .store64_lane */
    [0x5c ... 0x5d] = OF(ACCESS, 0, P(SIMD)),      /* v128.load32_zero, .load64_zero */
    [0x5e ... 0xff] = OF(PLAIN, 0, P(SIMD)),
    [0x100 ... 0x113] = OF(PLAIN, 0, P(RELAXED_SIMD)),
};

static const code_t ATOMIC[] = {
    [0x00 ... 0x02] = OF(ACCESS, 0, P(THREADS)), /* notify, wait32, wait64 */
    [0x03] = OF(ZERO, 0, P(THREADS)),            /* fence */
    [0x10 ... 0x4e] = OF(ACCESS, 0, P(THREADS)),
};

#define COUNT_OF(list) (sizeof(list) / sizeof *(list))

static code_t prefixed(uint8_t prefix, uint32_t sub) {
  static const struct {
    const code_t *codes;
    size_t count;
  } PREFIXES[] = {{GC, COUNT_OF(GC)}, {MISC, COUNT_OF(MISC)}, {SIMD, COUNT_OF(SIMD)}, {ATOMIC, COUNT_OF(ATOMIC)}};
  code_t none = {0};
  return sub < PREFIXES[prefix - 0xfb].count ? PREFIXES[prefix - 0xfb].codes[sub] : none;
}

static void block_type(wn_cursor_t *c) {
  uint8_t code = wn_cursor_peek(c);
  if (code == 0x40) {
    c->at++;
  } else if ((code & 0xc0) == 0x40) { /* one byte, below zero */
    wn_cursor_value_type(c);
  } else {
    const uint8_t *first = c->at;
    int64_t type = wn_cursor_signed(c, 33);
    wn_cursor_need(c, first, WN_PROPOSAL_MULTI_VALUE);
    if (type < 0) wn_cursor_fail(c, first, "it has an unknown type");
    else if ((uint64_t)type + 1 > c->type_top) c->type_top = (uint64_t)type + 1;
  }
}

/* kind, [tag,] label */
static void clauses(wn_cursor_t *c) {
  for (uint32_t n = wn_cursor_count(c, 2); n && !c->why; n--) {
    uint8_t kind = wn_cursor_byte(c);
    if (kind > 3) wn_cursor_fail(c, c->at - 1, "it has an unknown instruction");
    if (kind < 2) wn_cursor_u32(c);
    wn_cursor_u32(c);
  }
}

static uint32_t table(wn_cursor_t *c) {
  const uint8_t *first = c->at;
  uint32_t index = wn_cursor_u32(c);
  if (index) wn_cursor_need(c, first, WN_PROPOSAL_REFERENCE_TYPES);
  return index;
}

static uint32_t memory(wn_cursor_t *c) {
  const uint8_t *first = c->at;
  uint32_t index = wn_cursor_u32(c);
  if (index) wn_cursor_need(c, first, WN_PROPOSAL_MULTI_MEMORY);
  return index;
}

static void access(wn_cursor_t *c) {
  const uint8_t *first = c->at;
  uint32_t alignment = wn_cursor_u32(c);
  if (alignment & 0x40) {
    wn_cursor_need(c, first, WN_PROPOSAL_MULTI_MEMORY);
    wn_cursor_u32(c);
  }
  if (alignment > 0x7f) wn_cursor_fail(c, first, "it has an unknown alignment");
  wn_cursor_leb(c, c->allowed & WN_PROPOSAL_MEMORY64 ? 64 : 32);
}

static void immediates(wn_cursor_t *c, wn_op_t *op) {
  switch (op->shape) {
    case WN_SHAPE_UNKNOWN:
    case WN_SHAPE_PREFIX:
      wn_cursor_fail(c, op->start, "it has an unknown instruction");
      break;
    case WN_SHAPE_PLAIN:
    case WN_SHAPE_END:
      break;
    case WN_SHAPE_BLOCK:
    case WN_SHAPE_LOOP:
      block_type(c);
      break;
    case WN_SHAPE_TRY:
      block_type(c);
      clauses(c);
      break;
    case WN_SHAPE_DELEGATE:
    case WN_SHAPE_INDEX:
    case WN_SHAPE_CALL:
    case WN_SHAPE_FUNC:
    case WN_SHAPE_GLOBAL:
      op->a = wn_cursor_u32(c);
      break;
    case WN_SHAPE_LABELS:
      for (uint32_t n = wn_cursor_count(c, 1); n && !c->why; n--) wn_cursor_u32(c);
      wn_cursor_u32(c);
      break;
    case WN_SHAPE_INDIRECT:
      op->a = wn_cursor_type(c);
      op->b = table(c);
      break;
    case WN_SHAPE_TYPED:
    case WN_SHAPE_TYPE:
      op->a = wn_cursor_type(c);
      break;
    case WN_SHAPE_TABLE:
      op->a = table(c);
      break;
    case WN_SHAPE_TABLES:
      op->a = table(c);
      op->b = table(c);
      break;
    case WN_SHAPE_SEGMENT_TABLE:
      op->a = wn_cursor_u32(c);
      op->b = table(c);
      break;
    case WN_SHAPE_MEMORY:
      op->a = memory(c);
      break;
    case WN_SHAPE_MEMORIES:
      op->a = memory(c);
      op->b = memory(c);
      break;
    case WN_SHAPE_SEGMENT_MEMORY:
      op->a = wn_cursor_u32(c);
      op->b = memory(c);
      break;
    case WN_SHAPE_ACCESS_LANE:
    case WN_SHAPE_ACCESS:
      access(c);
      if (op->shape == WN_SHAPE_ACCESS_LANE) wn_cursor_byte(c);
      break;
    case WN_SHAPE_LANE:
      wn_cursor_byte(c);
      break;
    case WN_SHAPE_I32:
      wn_cursor_signed(c, 32);
      break;
    case WN_SHAPE_I64:
      wn_cursor_signed(c, 64);
      break;
    case WN_SHAPE_BYTES_4:
      wn_cursor_skip(c, 4);
      break;
    case WN_SHAPE_BYTES_8:
      wn_cursor_skip(c, 8);
      break;
    case WN_SHAPE_BYTES_16:
      wn_cursor_skip(c, 16);
      break;
    case WN_SHAPE_ZERO:
      if (wn_cursor_byte(c)) wn_cursor_fail(c, c->at - 1, "it has an unknown instruction");
      break;
    case WN_SHAPE_HEAP:
      wn_cursor_heap_type(c);
      break;
    case WN_SHAPE_SELECT:
      for (uint32_t n = wn_cursor_count(c, 1); n && !c->why; n--) wn_cursor_value_type(c);
      break;
    case WN_SHAPE_TYPE_INDEX:
      op->a = wn_cursor_type(c);
      op->b = wn_cursor_u32(c);
      break;
    case WN_SHAPE_TYPES:
      op->a = wn_cursor_type(c);
      op->b = wn_cursor_type(c);
      break;
    case WN_SHAPE_CAST:
      wn_cursor_byte(c);
      op->a = wn_cursor_u32(c);
      wn_cursor_heap_type(c);
      wn_cursor_heap_type(c);
      break;
  }
}

/* Answers what a constant expression makes of it. */
static uint8_t next(wn_cursor_t *c, wn_op_t *op) {
  op->start = c->at;
  op->code = wn_cursor_byte(c);
  op->sub = op->a = op->b = 0;
  code_t code = CODES[op->code];
  if (code.shape == WN_SHAPE_PREFIX) {
    op->sub = wn_cursor_u32(c);
    code = prefixed(op->code, op->sub);
  }
  op->shape = code.shape;
  const bool copy_fill = op->code == 0xfc && (op->sub == 10 || op->sub == 11);
  if (code.needs && !(copy_fill && c->copy_fill)) wn_cursor_need(c, op->start, code.needs);
  immediates(c, op);
  return code.constant;
}

void wn_op_next(wn_cursor_t *c, wn_op_t *op) { next(c, op); }

bool wn_op_constant(wn_cursor_t *c, wn_op_t *op) {
  uint8_t constant = next(c, op);
  if (constant == NEVER) wn_cursor_fail(c, op->start, "no instruction of a constant expression");
  if (constant == EXTENDED) wn_cursor_need(c, op->start, WN_PROPOSAL_EXTENDED_CONST);
  return op->shape != WN_SHAPE_END && !c->why;
}
