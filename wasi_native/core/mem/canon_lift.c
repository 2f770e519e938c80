/* canon_lift.c - from core values and memory of a guest to a stream. No code of the guest runs meanwhile. */
#include "core/mem/canon_walk.h"

static wn_err_t load(wn_walk_t *walk, const wn_node_t *node, const uint8_t *at);

static wn_err_t put32(wn_walk_t *walk, uint32_t value) {
  uint8_t *out;
  wn_err_t err = wn_canon_put(walk, 4, &out);
  if (WN_LIKELY(!err)) wn_store32(out, value);
  return err;
}

static wn_err_t lift_char(wn_walk_t *walk, uint32_t c) {
  if (WN_UNLIKELY(!wn_is_scalar(c))) return wn_canon_trap(walk->cx, "invalid `char` bit pattern");
  return put32(walk, c);
}

static wn_err_t lift_handle(wn_walk_t *walk, const wn_node_t *node, uint32_t handle) {
  uint32_t rep = 0;
  if (WN_UNLIKELY(!walk->cx->handle)) return WN_INVALID;
  wn_canon_op_t op = node->kind == WN_K_OWN ? WN_LIFT_OWN : WN_LIFT_BORROW;
  wn_err_t err = walk->cx->handle(walk->cx, op, node->first, handle, &rep);
  return WN_UNLIKELY(err) ? err : put32(walk, rep);
}

/* The elements of a list, where loading each by itself would be slow. */
static bool load_many(const wn_node_t *element, const uint8_t *at, uint32_t count, uint8_t *out, wn_err_t *err,
                      wn_canon_cx_t *cx) {
  *err = 0;
  switch (element->kind) {
    case WN_K_BOOL:
      for (uint32_t i = 0; i < count; i++) out[i] = at[i] != 0;
      return true;
    case WN_K_F32:
      for (uint32_t i = 0; i < count; i++)
        wn_store32(out + 4 * (size_t)i, wn_canon_f32(wn_load32(at + 4 * (size_t)i)));
      return true;
    case WN_K_F64:
      for (uint32_t i = 0; i < count; i++)
        wn_store64(out + 8 * (size_t)i, wn_canon_f64(wn_load64(at + 8 * (size_t)i)));
      return true;
    case WN_K_CHAR:
      for (uint32_t i = 0; i < count; i++) {
        uint32_t c = wn_load32(at + 4 * (size_t)i);
        if (WN_UNLIKELY(!wn_is_scalar(c))) {
          *err = wn_canon_trap(cx, "invalid `char` bit pattern");
          return true;
        }
        wn_store32(out + 4 * (size_t)i, c);
      }
      return true;
    default:
      if (!(element->flags & WN_NODE_PLAIN)) return false;
      if (count) memcpy(out, at, (size_t)count * element->size);
      return true;
  }
}

static wn_err_t load_elements(wn_walk_t *walk, const wn_node_t *element, const uint8_t *at, uint32_t count) {
  wn_err_t err = wn_canon_reserve(walk, (uint64_t)element->packed * count);
  if (WN_UNLIKELY(err)) return err;
  if (load_many(element, at, count, walk->values->bytes + walk->values->used, &err, walk->cx)) {
    walk->values->used += (size_t)element->packed * count;
    return err;
  }
  for (uint32_t i = 0; i < count; i++, at += element->size) {
    err = load(walk, element, at);
    if (WN_UNLIKELY(err)) return err;
  }
  return 0;
}

/* The bytes of a list, as the place where they are. */
static wn_err_t lend(wn_walk_t *walk, const uint8_t *at, uint32_t count) {
  uint8_t *out;
  wn_err_t err = wn_values_charge(walk->values, count);
  if (err) walk->cx->reason = "value_bytes";
  else err = wn_canon_put(walk, 8, &out);
  if (!err) wn_store64(out, (uintptr_t)at);
  return err;
}

static wn_err_t lift_list(wn_walk_t *walk, const wn_node_t *node, uint32_t ptr, uint32_t count) {
  const wn_node_t *element = &walk->nodes[node->first];
  uint8_t *at;
  wn_err_t err = wn_canon_span(walk->cx, WN_PLACE_LIST, ptr, (uint64_t)count * element->size, element->align, &at);
  if (WN_LIKELY(!err)) err = put32(walk, count);
  if (walk->values->lends && element->kind == WN_K_U8) return err ? err : lend(walk, at, count);
  return WN_UNLIKELY(err) ? err : load_elements(walk, element, at, count);
}

static wn_err_t load_variant(wn_walk_t *walk, const wn_node_t *node, const uint8_t *at) {
  uint32_t tag = node->count <= 0x100 ? *at : node->count <= 0x10000 ? wn_load16(at) : wn_load32(at);
  if (WN_UNLIKELY(tag >= node->count)) return wn_canon_trap(walk->cx, "invalid variant discriminant");
  wn_err_t err = put32(walk, tag);
  if (WN_UNLIKELY(err) || node->first == WN_PLAN_NONE) return err;
  uint32_t payload = walk->items[node->first + tag].node;
  return payload == WN_PLAN_NONE ? 0 : load(walk, &walk->nodes[payload], at + node->offset);
}

static wn_err_t load_record(wn_walk_t *walk, const wn_node_t *node, const uint8_t *at) {
  for (uint32_t i = 0; i < node->count; i++) {
    const wn_item_t *item = &walk->items[node->first + i];
    wn_err_t err = load(walk, &walk->nodes[item->node], at + item->offset);
    if (WN_UNLIKELY(err)) return err;
  }
  return 0;
}

/* A value in memory; the bytes of its type were looked at already. */
static wn_err_t load(wn_walk_t *walk, const wn_node_t *node, const uint8_t *at) {
  uint8_t *out;
  wn_err_t err;
  switch (node->kind) {
    case WN_K_BOOL:
      err = wn_canon_put(walk, 1, &out);
      if (WN_LIKELY(!err)) *out = *at != 0;
      return err;
    case WN_K_F32:
      return put32(walk, wn_canon_f32(wn_load32(at)));
    case WN_K_F64:
      err = wn_canon_put(walk, 8, &out);
      if (WN_LIKELY(!err)) wn_store64(out, wn_canon_f64(wn_load64(at)));
      return err;
    case WN_K_CHAR:
      return lift_char(walk, wn_load32(at));
    case WN_K_STRING:
      return wn_canon_lift_string(walk, wn_load32(at), wn_load32(at + 4));
    case WN_K_LIST:
      if (node->count) return load_elements(walk, &walk->nodes[node->first], at, node->count);
      return lift_list(walk, node, wn_load32(at), wn_load32(at + 4));
    case WN_K_VARIANT:
      return load_variant(walk, node, at);
    case WN_K_FLAGS: {
      uint32_t bits = node->size == 1 ? *at : node->size == 2 ? wn_load16(at) : wn_load32(at);
      return put32(walk, bits & wn_flags_mask(node->count));
    }
    case WN_K_OWN:
    case WN_K_BORROW:
      return lift_handle(walk, node, wn_load32(at));
    default:
      if (!(node->flags & WN_NODE_PLAIN)) return load_record(walk, node, at);
      err = wn_canon_put(walk, node->size, &out);
      if (WN_LIKELY(!err)) memcpy(out, at, node->size);
      return err;
  }
}

/* The core values of a call, taken one after the other. A slot may hold more than a value needs (the cases of a
 * variant share it): the low bytes are the value. */
typedef struct flat {
  const void *slots;
  uint32_t shift, next;
} flat_t;

static uint64_t take(flat_t *flat) { return *wn_canon_slot(flat->slots, flat->shift, flat->next++); }

static wn_err_t lift_flat(wn_walk_t *walk, const wn_node_t *node, flat_t *flat);

static wn_err_t lift_flat_variant(wn_walk_t *walk, const wn_node_t *node, flat_t *flat) {
  uint32_t end = flat->next + node->flats, tag = (uint32_t)take(flat);
  if (WN_UNLIKELY(tag >= node->count)) return wn_canon_trap(walk->cx, "invalid variant discriminant");
  wn_err_t err = put32(walk, tag);
  uint32_t payload = node->first == WN_PLAN_NONE ? WN_PLAN_NONE : walk->items[node->first + tag].node;
  if (WN_LIKELY(!err) && payload != WN_PLAN_NONE) err = lift_flat(walk, &walk->nodes[payload], flat);
  flat->next = end;
  return err;
}

static wn_err_t lift_flat(wn_walk_t *walk, const wn_node_t *node, flat_t *flat) {
  wn_err_t err = 0;
  uint8_t *out;
  switch (node->kind) {
    case WN_K_BOOL:
      err = wn_canon_put(walk, 1, &out);
      if (WN_LIKELY(!err)) *out = (uint32_t)take(flat) != 0;
      return err;
    case WN_K_F32:
      return put32(walk, wn_canon_f32((uint32_t)take(flat)));
    case WN_K_F64:
      err = wn_canon_put(walk, 8, &out);
      if (WN_LIKELY(!err)) wn_store64(out, wn_canon_f64(take(flat)));
      return err;
    case WN_K_CHAR:
      return lift_char(walk, (uint32_t)take(flat));
    case WN_K_STRING:
    case WN_K_LIST: {
      for (uint32_t i = 0; i < node->count && !err; i++) err = lift_flat(walk, &walk->nodes[node->first], flat);
      if (node->count) return err;
      uint32_t ptr = (uint32_t)take(flat), count = (uint32_t)take(flat);
      return node->kind == WN_K_LIST ? lift_list(walk, node, ptr, count) : wn_canon_lift_string(walk, ptr, count);
    }
    case WN_K_RECORD:
      for (uint32_t i = 0; i < node->count && !err; i++)
        err = lift_flat(walk, &walk->nodes[walk->items[node->first + i].node], flat);
      return err;
    case WN_K_VARIANT:
      return lift_flat_variant(walk, node, flat);
    case WN_K_FLAGS:
      return put32(walk, (uint32_t)take(flat) & wn_flags_mask(node->count));
    case WN_K_OWN:
    case WN_K_BORROW:
      return lift_handle(walk, node, (uint32_t)take(flat));
    default: {
      uint64_t value = take(flat);
      err = wn_canon_put(walk, node->size, &out);
      if (WN_LIKELY(!err)) memcpy(out, &value, node->size);
      return err;
    }
  }
}

/* What was passed as a pointer because it is too much for core values. */
static wn_err_t lift_tuple(wn_walk_t *walk, const wn_node_t *node, const void *slots, uint32_t shift) {
  uint8_t *at;
  uint32_t ptr = (uint32_t)*wn_canon_slot(slots, shift, 0);
  wn_err_t err = wn_canon_span(walk->cx, WN_PLACE_TUPLE, ptr, node->size, node->align, &at);
  return WN_UNLIKELY(err) ? err : load(walk, node, at);
}

static wn_err_t lift(wn_canon_cx_t *cx, const wn_plan_t *plan, uint32_t index, uint32_t most, const void *slots,
                     uint32_t shift, wn_values_t *out) {
  if (index == WN_PLAN_NONE) return 0;
  wn_walk_t walk = wn_walk_new(cx, plan, out);
  const wn_node_t *node = &walk.nodes[index];
  if (WN_UNLIKELY(node->flats > most)) return lift_tuple(&walk, node, slots, shift);
  flat_t flat = {slots, shift, 0};
  return lift_flat(&walk, node, &flat);
}

wn_err_t wn_canon_lift_params(wn_canon_cx_t *cx, const wn_plan_t *plan, const void *slots, uint32_t shift,
                              wn_values_t *out) {
  return lift(cx, plan, plan->params, WN_FLAT_MAX, slots, shift, out);
}

wn_err_t wn_canon_lift_result(wn_canon_cx_t *cx, const wn_plan_t *plan, const void *slots, uint32_t shift,
                              wn_values_t *out) {
  return lift(cx, plan, plan->result, 1, slots, shift, out);
}

wn_err_t wn_canon_lift_params_async(wn_canon_cx_t *cx, const wn_plan_t *plan, const void *slots, uint32_t shift,
                                    wn_values_t *out) {
  return lift(cx, plan, plan->params, WN_FLAT_ASYNC_MAX, slots, shift, out);
}

wn_err_t wn_canon_lift_returned(wn_canon_cx_t *cx, const wn_plan_t *plan, const void *slots, uint32_t shift,
                                wn_values_t *out) {
  return lift(cx, plan, plan->result, WN_FLAT_MAX, slots, shift, out);
}
