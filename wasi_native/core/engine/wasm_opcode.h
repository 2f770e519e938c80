/* wasm_opcode.h - one instruction after another: where each ends, and what its immediates refer to. */
#ifndef WN_CORE_WASM_OPCODE_H
#define WN_CORE_WASM_OPCODE_H

#include "core/engine/wasm_bytes.h"

/* Instructions by what follows the opcode. */
typedef enum wn_shape {
  WN_SHAPE_UNKNOWN = 0,
  WN_SHAPE_PLAIN,  /* nothing */
  WN_SHAPE_PREFIX, /* another opcode */
  WN_SHAPE_BLOCK,  /* block, if, try: a block type */
  WN_SHAPE_LOOP,   /* the same */
  WN_SHAPE_TRY,    /* try_table: a block type, clauses */
  WN_SHAPE_END,
  WN_SHAPE_DELEGATE, /* ends a block too; a label */
  WN_SHAPE_INDEX,    /* of a label, local, segment or tag */
  WN_SHAPE_LABELS,   /* br_table */
  WN_SHAPE_CALL,     /* a function: call, return_call */
  WN_SHAPE_FUNC,     /* a function: ref.func */
  WN_SHAPE_INDIRECT, /* a type, a table: calls */
  WN_SHAPE_TYPED,    /* a type: call_ref */
  WN_SHAPE_GLOBAL,
  WN_SHAPE_TABLE,         /* one table */
  WN_SHAPE_TABLES,        /* two tables */
  WN_SHAPE_SEGMENT_TABLE, /* an element segment, a table */
  WN_SHAPE_MEMORY,        /* one memory */
  WN_SHAPE_MEMORIES,      /* two memories */
  WN_SHAPE_SEGMENT_MEMORY,
  WN_SHAPE_ACCESS,      /* alignment, offset */
  WN_SHAPE_ACCESS_LANE, /* and a lane */
  WN_SHAPE_LANE,
  WN_SHAPE_I32,
  WN_SHAPE_I64,
  WN_SHAPE_BYTES_4,
  WN_SHAPE_BYTES_8,
  WN_SHAPE_BYTES_16,
  WN_SHAPE_ZERO,       /* a byte that is 0 */
  WN_SHAPE_HEAP,       /* a heap type */
  WN_SHAPE_SELECT,     /* value types */
  WN_SHAPE_TYPE,       /* a type: structures and arrays */
  WN_SHAPE_TYPE_INDEX, /* a type, and a field, count or segment */
  WN_SHAPE_TYPES,      /* two types */
  WN_SHAPE_CAST        /* flags, a label, two heap types */
} wn_shape_t;

typedef struct wn_op {
  const uint8_t *start; /* its first byte; the cursor is behind its last one */
  uint8_t code;
  uint32_t sub; /* after a prefix */
  wn_shape_t shape;
  uint32_t a, b; /* the indices that its shape names, in their order */
} wn_op_t;

/* The next instruction. What is unknown, or of a proposal that is not allowed, is wrong in the cursor's sense. */
void wn_op_next(wn_cursor_t *c, wn_op_t *op);

/* The next instruction of a constant expression; false after its end. What has no place there is wrong. */
bool wn_op_constant(wn_cursor_t *c, wn_op_t *op);

#endif
