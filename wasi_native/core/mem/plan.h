/* plan.h - the types of one function as an array of numbers that a guest's values are walked by.
 *
 *   wn_plan | node 0 .. node n-1 | item 0 .. item m-1       32-bit words, little-endian
 *
 * A node names only nodes before it, so there is no circle; what a node derives from others (size, alignment, flat
 * types, bytes in a stream) is derived again when the plan is loaded, and must agree.
 */
#ifndef WN_CORE_PLAN_H
#define WN_CORE_PLAN_H

#include "wasi_native/values.h"

#define WN_PLAN_MAGIC 0x31506e57u /* "WnP1" */
#define WN_PLAN_NONE 0xffffffffu  /* no node: no parameters, no result, a case without payload */
#define WN_PLAN_NODES_MAX 65536u
#define WN_PLAN_ITEMS_MAX 1048576u
#define WN_PLAN_DEPTH_MAX 202u /* of types inside types; a map is two, and the parameters around them one */
#define WN_PLAN_SIZE_MAX ((1u << 28) - 1)
#define WN_FLAT_MAX 16u      /* core values that pass as such; more are in memory */
#define WN_FLAT_ASYNC_MAX 4u /* of the parameters of a function that is lowered async */

enum {
  WN_K_BOOL = 0,
  WN_K_U8,
  WN_K_S8,
  WN_K_U16,
  WN_K_S16,
  WN_K_U32,
  WN_K_S32,
  WN_K_U64,
  WN_K_S64,
  WN_K_F32,
  WN_K_F64,
  WN_K_CHAR,
  WN_K_STRING,
  WN_K_LIST,    /* first: the node of the elements; count: a fixed length, 0 for any */
  WN_K_RECORD,  /* items: node, offset of each field; tuples are records */
  WN_K_VARIANT, /* items: node or NONE of each case; enums are variants with first NONE, and have no items */
  WN_K_FLAGS,   /* count: labels, 1 to 32 */
  WN_K_OWN,     /* first: the number of the resource */
  WN_K_BORROW,
  WN_K_END
};

enum {
  WN_NODE_PLAIN = 1,   /* the bytes in memory are the bytes in a stream, whatever they are */
  WN_NODE_POINTER = 2, /* a string, or a list of any length, is in it */
  WN_NODE_FIXED = 4    /* every value has the same bytes in a stream: `packed` */
};

typedef struct wn_node {
  uint8_t kind, align, flags, depth;
  uint32_t size;    /* bytes in memory */
  uint32_t first;   /* by kind */
  uint32_t count;   /* by kind; items of a record or variant */
  uint32_t offset;  /* of a variant: where the payload is */
  uint32_t packed;  /* bytes of a value in a stream; at least so many when they vary */
  uint8_t flats;    /* core values; 17 stands for more than 16 */
  char letters[19]; /* their types, terminated */
} wn_node_t;

typedef struct wn_item {
  uint32_t node, offset; /* offset 0 in a variant */
} wn_item_t;

struct wn_plan {
  uint32_t magic, nodes, items;
  uint32_t params; /* a record of them, or NONE */
  uint32_t result; /* or NONE */
  uint32_t resources;
};

static inline const wn_node_t *wn_plan_node(const wn_plan_t *plan, uint32_t index) {
  return (const wn_node_t *)(const void *)(plan + 1) + index;
}
static inline const wn_item_t *wn_plan_item(const wn_plan_t *plan, uint32_t index) {
  return (const wn_item_t *)(const void *)(wn_plan_node(plan, plan->nodes)) + index;
}

#endif
