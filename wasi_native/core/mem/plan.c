/* plan.c - a plan is believed in nothing: every number in it is checked, and what follows from others derived again.
 */
#include "core/mem/plan.h"

#include <string.h>

typedef struct look {
  const wn_plan_t *plan;
  const wn_node_t *nodes;
  const wn_item_t *items;
  uint32_t resources; /* numbered so far */
} look_t;

/* Size, which is the alignment too; then the letter, and whether any bytes are a value. */
static const struct scalar {
  uint8_t size;
  char letter;
  bool plain;
} scalars[] = {
    [WN_K_BOOL] = {1, 'i', false}, [WN_K_U8] = {1, 'i', true},   [WN_K_S8] = {1, 'i', true},
    [WN_K_U16] = {2, 'i', true},   [WN_K_S16] = {2, 'i', true},  [WN_K_U32] = {4, 'i', true},
    [WN_K_S32] = {4, 'i', true},   [WN_K_U64] = {8, 'I', true},  [WN_K_S64] = {8, 'I', true},
    [WN_K_F32] = {4, 'f', false},  [WN_K_F64] = {8, 'F', false}, [WN_K_CHAR] = {4, 'i', false},
};

static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint64_t up(uint64_t at, uint32_t align) { return (at + align - 1) & ~(uint64_t)(align - 1); }

static void append(wn_node_t *node, const wn_node_t *part) {
  for (uint32_t i = 0; i < part->flats && node->flats <= WN_FLAT_MAX; i++)
    node->letters[node->flats++] = part->letters[i];
}

/* Where cases of a variant disagree about a core value, one that holds both. */
static char join(char a, char b) {
  if (a == b) return a;
  return (a == 'i' || a == 'f') && (b == 'i' || b == 'f') ? 'i' : 'I';
}

static bool derive_list(const look_t *look, uint32_t index, const wn_node_t *node, wn_node_t *out) {
  if (node->first >= index) return false;
  const wn_node_t *element = &look->nodes[node->first];
  out->depth = (uint8_t)(element->depth + 1);
  if (node->count == 0) {
    out->align = 4;
    out->size = 8;
    out->packed = 4;
    out->flags = WN_NODE_POINTER;
    out->flats = 2;
    memcpy(out->letters, "ii", 2);
    return true;
  }
  uint64_t size = (uint64_t)element->size * node->count, packed = (uint64_t)element->packed * node->count;
  if (size > WN_PLAN_SIZE_MAX || packed > WN_PLAN_SIZE_MAX) return false;
  out->align = element->align;
  out->size = (uint32_t)size;
  out->packed = (uint32_t)packed;
  out->flags = element->flags;
  for (uint32_t i = 0; i < node->count && out->flats <= WN_FLAT_MAX; i++) append(out, element);
  return true;
}

static bool derive_record(const look_t *look, uint32_t index, const wn_node_t *node, wn_node_t *out) {
  uint64_t size = 0, packed = 0;
  uint8_t all = WN_NODE_FIXED | WN_NODE_PLAIN, any = 0;
  out->align = 1;
  for (uint32_t i = 0; i < node->count; i++) {
    const wn_item_t *item = &look->items[node->first + i];
    if (item->node >= index) return false;
    const wn_node_t *field = &look->nodes[item->node];
    size = up(size, field->align);
    if (item->offset != size) return false;
    size += field->size;
    packed += field->packed;
    if (size > WN_PLAN_SIZE_MAX || packed > WN_PLAN_SIZE_MAX) return false;
    out->align = (uint8_t)larger(out->align, field->align);
    out->depth = (uint8_t)larger(out->depth, field->depth + 1u);
    all &= field->flags;
    any |= field->flags;
    append(out, field);
  }
  size = up(size, out->align);
  if (size > WN_PLAN_SIZE_MAX) return false;
  out->size = (uint32_t)size;
  out->packed = (uint32_t)packed;
  out->flags = all | (any & WN_NODE_POINTER);
  if (packed != size) out->flags &= (uint8_t)~WN_NODE_PLAIN; /* bytes lie between the fields */
  return true;
}

static bool derive_variant(const look_t *look, uint32_t index, const wn_node_t *node, wn_node_t *out) {
  uint32_t tag = node->count <= 0x100     ? 1
                 : node->count <= 0x10000 ? 2
                                          : 4,
           align = 1, size = 0, packed = WN_PLAN_NONE;
  bool fixed = true;
  out->flats = 1;
  out->letters[0] = 'i';
  if (node->first == WN_PLAN_NONE) packed = 0;
  for (uint32_t i = 0; node->first != WN_PLAN_NONE && i < node->count; i++) {
    const wn_item_t *item = &look->items[node->first + i];
    if (item->offset != 0 || (item->node >= index && item->node != WN_PLAN_NONE)) return false;
    uint32_t bytes = 0;
    if (item->node != WN_PLAN_NONE) {
      const wn_node_t *payload = &look->nodes[item->node];
      align = larger(align, payload->align);
      size = larger(size, payload->size);
      out->depth = (uint8_t)larger(out->depth, payload->depth + 1u);
      out->flags |= payload->flags & WN_NODE_POINTER;
      fixed = fixed && payload->flags & WN_NODE_FIXED;
      bytes = payload->packed;
      for (uint32_t k = 0; k < payload->flats && k < WN_FLAT_MAX; k++) {
        char *letter = &out->letters[k + 1];
        *letter = k + 1 < out->flats ? join(*letter, payload->letters[k]) : payload->letters[k];
        if (k + 1 >= out->flats) out->flats = (uint8_t)(k + 2);
      }
    }
    if (packed != WN_PLAN_NONE && packed != bytes) fixed = false;
    if (bytes < packed) packed = bytes;
  }
  out->align = (uint8_t)larger(align, tag);
  out->offset = (uint32_t)up(tag, align);
  out->size = (uint32_t)up((uint64_t)out->offset + size, out->align);
  out->packed = packed + 4;
  if (fixed) out->flags |= WN_NODE_FIXED;
  return out->size <= WN_PLAN_SIZE_MAX && packed <= WN_PLAN_SIZE_MAX - 4;
}

/* What a node must be, from what it says of itself and from the nodes before it. */
static bool derive(look_t *look, uint32_t index, wn_node_t *out) {
  const wn_node_t *node = &look->nodes[index];
  *out = (wn_node_t){.kind = node->kind, .depth = 1, .first = node->first, .count = node->count};
  bool enumeration = node->kind == WN_K_VARIANT && node->first == WN_PLAN_NONE;
  bool row = (node->kind == WN_K_RECORD || node->kind == WN_K_VARIANT) && !enumeration;
  if (row && (node->first > look->plan->items || node->count > look->plan->items - node->first)) return false;
  if (node->kind == WN_K_LIST) return derive_list(look, index, node, out);
  if (node->kind == WN_K_RECORD) return node->count && derive_record(look, index, node, out);
  if (node->kind == WN_K_VARIANT) return node->count && derive_variant(look, index, node, out);
  out->flags = WN_NODE_FIXED;
  out->flats = 1;
  out->letters[0] = 'i';
  out->size = out->align = 4;
  if (node->kind < sizeof scalars / sizeof *scalars) {
    const struct scalar *scalar = &scalars[node->kind];
    out->size = out->align = scalar->size;
    out->letters[0] = scalar->letter;
    if (scalar->plain) out->flags |= WN_NODE_PLAIN;
  } else if (node->kind == WN_K_STRING) {
    out->flags = WN_NODE_POINTER;
    out->size = 8;
    out->packed = 5;
    out->flats = 2;
    out->letters[1] = 'i';
  } else if (node->kind == WN_K_FLAGS) {
    if (node->count < 1 || node->count > 32) return false;
    out->size = out->align = node->count <= 8 ? 1 : node->count <= 16 ? 2 : 4;
    out->packed = 4;
  } else {
    if (node->first > look->resources) return false;
    if (node->first == look->resources) look->resources++;
  }
  if (node->kind != WN_K_STRING && node->kind != WN_K_FLAGS) out->packed = out->size;
  bool resource = node->kind == WN_K_OWN || node->kind == WN_K_BORROW;
  return node->kind < WN_K_END && (resource || !node->first) && (!node->count || node->kind == WN_K_FLAGS);
}

wn_err_t wn_plan_load(const void *bytes, size_t size, const wn_plan_t **out) {
  const wn_plan_t *plan = bytes;
  if (size < sizeof *plan || (uintptr_t)bytes % 4) return WN_INVALID;
  if (plan->magic != WN_PLAN_MAGIC || plan->nodes > WN_PLAN_NODES_MAX || plan->items > WN_PLAN_ITEMS_MAX)
    return WN_INVALID;
  uint64_t needed = (uint64_t)plan->nodes * sizeof(wn_node_t) + (uint64_t)plan->items * sizeof(wn_item_t);
  if (size - sizeof *plan != needed) return WN_INVALID;
  look_t look = {.plan = plan, .nodes = wn_plan_node(plan, 0), .items = wn_plan_item(plan, 0)};
  for (uint32_t i = 0; i < plan->nodes; i++) {
    wn_node_t node;
    if (!derive(&look, i, &node) || node.depth > WN_PLAN_DEPTH_MAX) return WN_INVALID;
    if (memcmp(&node, &look.nodes[i], sizeof node) != 0) return WN_INVALID;
  }
  if (plan->resources != look.resources) return WN_INVALID;
  if (plan->params != WN_PLAN_NONE) {
    if (plan->params >= plan->nodes || look.nodes[plan->params].kind != WN_K_RECORD) return WN_INVALID;
  }
  if (plan->result != WN_PLAN_NONE && plan->result >= plan->nodes) return WN_INVALID;
  *out = plan;
  return 0;
}

void wn_plan_get_info(const wn_plan_t *plan, wn_plan_info_t *out) {
  *out = (wn_plan_info_t){.resources = plan->resources};
  if (plan->params != WN_PLAN_NONE) {
    const wn_node_t *params = wn_plan_node(plan, plan->params);
    out->params_in_memory = params->flats > WN_FLAT_MAX;
    out->params_pointers = params->flags & WN_NODE_POINTER;
    strcpy(out->lift_params, out->params_in_memory ? "i" : params->letters);
    strcpy(out->lower_params, out->lift_params);
  }
  if (plan->result != WN_PLAN_NONE) {
    const wn_node_t *result = wn_plan_node(plan, plan->result);
    out->result_in_memory = result->flats > 1;
    out->result_pointers = result->flags & WN_NODE_POINTER;
    strcpy(out->lift_results, out->result_in_memory ? "i" : result->letters);
    if (out->result_in_memory) {
      out->lower_params[strlen(out->lower_params)] = 'i';
    } else {
      strcpy(out->lower_results, result->letters);
    }
    out->returned_in_memory = result->flats > WN_FLAT_MAX;
    strcpy(out->returned, out->returned_in_memory ? "i" : result->letters);
  }
  const uint8_t flats = plan->params == WN_PLAN_NONE ? 0 : wn_plan_node(plan, plan->params)->flats;
  out->async_params_in_memory = flats > WN_FLAT_ASYNC_MAX;
  if (flats) strcpy(out->async_params, out->async_params_in_memory ? "i" : wn_plan_node(plan, plan->params)->letters);
  if (plan->result != WN_PLAN_NONE) out->async_params[strlen(out->async_params)] = 'i';
}
