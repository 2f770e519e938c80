/* canon_lower.c - from a stream to core values and memory of a guest. Its realloc runs meanwhile and may move the
 * memory, so no pointer into it is kept over one: places are offsets, looked at before. */
#include "core/mem/canon_walk.h"

static wn_err_t store(wn_walk_t *walk, const wn_node_t *node, uint32_t ptr);

/* Memory at an offset that was looked at; it never shrinks. */
static uint8_t *place(wn_walk_t *walk, uint32_t ptr) { return walk->cx->mem->base + ptr; }

static wn_err_t get32(wn_walk_t *walk, uint32_t *out) {
  const uint8_t *at = wn_values_get(walk->values, 4);
  if (WN_UNLIKELY(!at)) return WN_INVALID;
  *out = wn_load32(at);
  return 0;
}

static wn_err_t get_char(wn_walk_t *walk, uint32_t *out) {
  wn_err_t err = get32(walk, out);
  return WN_LIKELY(!err) && WN_UNLIKELY(!wn_is_scalar(*out)) ? WN_INVALID : err;
}

static wn_err_t get_case(wn_walk_t *walk, const wn_node_t *node, uint32_t *tag, const wn_node_t **payload) {
  wn_err_t err = get32(walk, tag);
  if (WN_UNLIKELY(err)) return err;
  if (WN_UNLIKELY(*tag >= node->count)) return WN_INVALID;
  uint32_t index = node->first == WN_PLAN_NONE ? WN_PLAN_NONE : walk->items[node->first + *tag].node;
  *payload = index == WN_PLAN_NONE ? NULL : &walk->nodes[index];
  return 0;
}

static wn_err_t get_flags(wn_walk_t *walk, const wn_node_t *node, uint32_t *bits) {
  wn_err_t err = get32(walk, bits);
  return WN_LIKELY(!err) && WN_UNLIKELY(*bits & ~wn_flags_mask(node->count)) ? WN_INVALID : err;
}

static wn_err_t lower_handle(wn_walk_t *walk, const wn_node_t *node, uint32_t *handle) {
  uint32_t rep = 0;
  wn_err_t err = get32(walk, &rep);
  if (WN_UNLIKELY(err)) return err;
  if (WN_UNLIKELY(!walk->cx->handle)) return WN_INVALID;
  wn_canon_op_t op = node->kind == WN_K_OWN ? WN_LOWER_OWN : WN_LOWER_BORROW;
  return walk->cx->handle(walk->cx, op, node->first, rep, handle);
}

/* The elements of a list, where storing each by itself would be slow. */
static bool store_many(const wn_node_t *element, const uint8_t *in, uint32_t count, uint8_t *at, wn_err_t *err) {
  *err = 0;
  switch (element->kind) {
    case WN_K_BOOL:
      for (uint32_t i = 0; i < count; i++) at[i] = in[i] != 0;
      return true;
    case WN_K_F32:
      for (uint32_t i = 0; i < count; i++)
        wn_store32(at + 4 * (size_t)i, wn_canon_f32(wn_load32(in + 4 * (size_t)i)));
      return true;
    case WN_K_F64:
      for (uint32_t i = 0; i < count; i++)
        wn_store64(at + 8 * (size_t)i, wn_canon_f64(wn_load64(in + 8 * (size_t)i)));
      return true;
    case WN_K_CHAR:
      for (uint32_t i = 0; i < count; i++) {
        uint32_t c = wn_load32(in + 4 * (size_t)i);
        if (WN_UNLIKELY(!wn_is_scalar(c))) {
          *err = WN_INVALID;
          return true;
        }
        wn_store32(at + 4 * (size_t)i, c);
      }
      return true;
    default:
      if (!(element->flags & WN_NODE_PLAIN)) return false;
      if (count) memcpy(at, in, (size_t)count * element->size);
      return true;
  }
}

static wn_err_t store_elements(wn_walk_t *walk, const wn_node_t *element, uint32_t count, uint32_t ptr) {
  wn_values_t *values = walk->values;
  wn_err_t err;
  if (WN_UNLIKELY((uint64_t)element->packed * count > values->used - values->at)) return WN_INVALID;
  if (store_many(element, values->bytes + values->at, count, place(walk, ptr), &err)) {
    values->at += (size_t)element->packed * count;
    return err;
  }
  for (uint32_t i = 0; i < count; i++, ptr += element->size) {
    err = store(walk, element, ptr);
    if (WN_UNLIKELY(err)) return err;
  }
  return 0;
}

/* A list of u8 whose bytes are elsewhere. */
static wn_err_t lower_lent(wn_walk_t *walk, const uint8_t *bytes, uint32_t *ptr, uint32_t count) {
  uint8_t *at;
  if (WN_UNLIKELY(count > WN_BYTES_MAX)) return wn_canon_trap(walk->cx, "list too long");
  wn_err_t err = wn_canon_realloc(walk->cx, WN_PLACE_LIST, 0, 0, 1, count, ptr, &at);
  if (WN_LIKELY(!err) && count) memcpy(at, bytes, count);
  return err;
}

static wn_err_t lower_list(wn_walk_t *walk, const wn_node_t *node, uint32_t *ptr, uint32_t *count) {
  const wn_node_t *element = &walk->nodes[node->first];
  wn_err_t err = get32(walk, count);
  if (WN_UNLIKELY(err)) return err;
  if (walk->values->lends && element->kind == WN_K_U8) {
    const uint8_t *in = wn_values_get(walk->values, 8);
    if (WN_UNLIKELY(!in)) return WN_INVALID;
    const uint8_t *lent = (const uint8_t *)(uintptr_t)wn_load64(in);
    if (lent) return lower_lent(walk, lent, ptr, *count);
  }
  /* A count that the stream cannot have is found before the guest is asked for so much memory. */
  if (WN_UNLIKELY((uint64_t)element->packed * *count > walk->values->used - walk->values->at)) return WN_INVALID;
  uint64_t size = (uint64_t)element->size * *count;
  if (WN_UNLIKELY(size > WN_BYTES_MAX)) return wn_canon_trap(walk->cx, "list too long");
  uint8_t *at;
  err = wn_canon_realloc(walk->cx, WN_PLACE_LIST, 0, 0, element->align, (uint32_t)size, ptr, &at);
  return WN_UNLIKELY(err) ? err : store_elements(walk, element, *count, *ptr);
}

static wn_err_t store_pair(wn_walk_t *walk, const wn_node_t *node, uint32_t ptr) {
  uint32_t to = 0, count = 0;
  wn_err_t err =
      node->kind == WN_K_LIST ? lower_list(walk, node, &to, &count) : wn_canon_lower_string(walk, &to, &count);
  if (WN_UNLIKELY(err)) return err;
  wn_store32(place(walk, ptr), to);
  wn_store32(place(walk, ptr) + 4, count);
  return 0;
}

static void store_number(wn_walk_t *walk, uint32_t value, uint32_t size, uint32_t ptr) {
  memcpy(place(walk, ptr), &value, size);
}

static wn_err_t store_variant(wn_walk_t *walk, const wn_node_t *node, uint32_t ptr) {
  uint32_t tag;
  const wn_node_t *payload;
  wn_err_t err = get_case(walk, node, &tag, &payload);
  if (WN_UNLIKELY(err)) return err;
  store_number(walk, tag, node->count <= 0x100 ? 1 : node->count <= 0x10000 ? 2 : 4, ptr);
  return payload ? store(walk, payload, ptr + node->offset) : 0;
}

/* A value to memory; the bytes of its type were looked at already. */
static wn_err_t store(wn_walk_t *walk, const wn_node_t *node, uint32_t ptr) {
  const uint8_t *in;
  uint32_t number = 0;
  wn_err_t err = 0;
  switch (node->kind) {
    case WN_K_STRING:
      return store_pair(walk, node, ptr);
    case WN_K_LIST:
      return node->count ? store_elements(walk, &walk->nodes[node->first], node->count, ptr)
                         : store_pair(walk, node, ptr);
    case WN_K_VARIANT:
      return store_variant(walk, node, ptr);
    case WN_K_FLAGS:
      err = get_flags(walk, node, &number);
      if (WN_LIKELY(!err)) store_number(walk, number, node->size, ptr);
      return err;
    case WN_K_OWN:
    case WN_K_BORROW:
      err = lower_handle(walk, node, &number);
      if (WN_LIKELY(!err)) store_number(walk, number, 4, ptr);
      return err;
    case WN_K_RECORD:
      if (node->flags & WN_NODE_PLAIN) break;
      for (uint32_t i = 0; i < node->count && !err; i++) {
        const wn_item_t *item = &walk->items[node->first + i];
        err = store(walk, &walk->nodes[item->node], ptr + item->offset);
      }
      return err;
    default:
      break;
  }
  in = wn_values_get(walk->values, node->packed); /* a scalar or a plain record: as one element of a list */
  if (WN_UNLIKELY(!in)) return WN_INVALID;
  store_many(node, in, 1, place(walk, ptr), &err);
  return err;
}

/* Core values, given one after the other; all 8 bytes of a slot are written. */
typedef struct flat {
  void *slots;
  uint32_t shift, next;
} flat_t;

static void give(flat_t *flat, uint64_t value) { *wn_canon_slot(flat->slots, flat->shift, flat->next++) = value; }

static wn_err_t lower_flat(wn_walk_t *walk, const wn_node_t *node, flat_t *flat);

static wn_err_t lower_flat_variant(wn_walk_t *walk, const wn_node_t *node, flat_t *flat) {
  uint32_t end = flat->next + node->flats, tag;
  const wn_node_t *payload;
  wn_err_t err = get_case(walk, node, &tag, &payload);
  if (WN_UNLIKELY(err)) return err;
  give(flat, tag);
  if (payload) err = lower_flat(walk, payload, flat);
  while (flat->next < end) give(flat, 0);
  return err;
}

/* An integer of `size` bytes as an i32 or i64: a signed one is extended to 32 bits. */
static uint64_t widen(const uint8_t *in, uint8_t kind) {
  switch (kind) {
    case WN_K_U8:
      return *in;
    case WN_K_S8:
      return (uint32_t)(int8_t)*in;
    case WN_K_U16:
      return wn_load16(in);
    case WN_K_S16:
      return (uint32_t)(int16_t)wn_load16(in);
    case WN_K_U64:
    case WN_K_S64:
      return wn_load64(in);
    default:
      return wn_load32(in);
  }
}

static wn_err_t lower_flat(wn_walk_t *walk, const wn_node_t *node, flat_t *flat) {
  uint32_t number = 0, count = 0;
  const uint8_t *in;
  wn_err_t err = 0;
  switch (node->kind) {
    case WN_K_STRING:
      err = wn_canon_lower_string(walk, &number, &count);
      give(flat, number);
      number = count;
      break;
    case WN_K_LIST:
      for (uint32_t i = 0; i < node->count && !err; i++) err = lower_flat(walk, &walk->nodes[node->first], flat);
      if (node->count) return err;
      err = lower_list(walk, node, &number, &count);
      give(flat, number);
      number = count;
      break;
    case WN_K_RECORD:
      for (uint32_t i = 0; i < node->count && !err; i++)
        err = lower_flat(walk, &walk->nodes[walk->items[node->first + i].node], flat);
      return err;
    case WN_K_VARIANT:
      return lower_flat_variant(walk, node, flat);
    case WN_K_FLAGS:
      err = get_flags(walk, node, &number);
      break;
    case WN_K_OWN:
    case WN_K_BORROW:
      err = lower_handle(walk, node, &number);
      break;
    case WN_K_CHAR:
      err = get_char(walk, &number);
      break;
    default:
      in = wn_values_get(walk->values, node->size);
      if (WN_UNLIKELY(!in)) return WN_INVALID;
      if (node->kind == WN_K_BOOL) {
        give(flat, *in != 0);
      } else if (node->kind == WN_K_F32) {
        give(flat, wn_canon_f32(wn_load32(in)));
      } else if (node->kind == WN_K_F64) {
        give(flat, wn_canon_f64(wn_load64(in)));
      } else {
        give(flat, widen(in, node->kind));
      }
      return 0;
  }
  give(flat, number);
  return err;
}

/* The stream holds these values and nothing else. */
static wn_err_t done(const wn_values_t *in, wn_err_t err) { return !err && in->at != in->used ? WN_INVALID : err; }

wn_err_t wn_canon_lower_params(wn_canon_cx_t *cx, const wn_plan_t *plan, wn_values_t *in, void *slots, uint32_t shift,
                               uint32_t *count) {
  flat_t flat = {slots, shift, 0};
  wn_err_t err = 0;
  if (plan->params != WN_PLAN_NONE) {
    wn_walk_t walk = wn_walk_new(cx, plan, in);
    const wn_node_t *node = &walk.nodes[plan->params];
    if (WN_UNLIKELY(node->flats > WN_FLAT_MAX)) {
      uint32_t ptr = 0;
      uint8_t *at;
      err = wn_canon_realloc(cx, WN_PLACE_TUPLE, 0, 0, node->align, node->size, &ptr, &at);
      if (!err) err = store(&walk, node, ptr);
      give(&flat, ptr);
    } else {
      err = lower_flat(&walk, node, &flat);
    }
  }
  if (count) *count = flat.next;
  return done(in, err);
}

uint32_t wn_canon_ret(const wn_plan_t *plan, const void *slots, uint32_t shift) {
  if (plan->result == WN_PLAN_NONE || wn_plan_node(plan, plan->result)->flats <= 1) return 0;
  uint32_t params = plan->params == WN_PLAN_NONE ? 0 : wn_plan_node(plan, plan->params)->flats;
  return (uint32_t)*wn_canon_slot(slots, shift, params > WN_FLAT_MAX ? 1 : params);
}

static wn_err_t store_result(wn_walk_t *walk, const wn_node_t *node, uint32_t ret) {
  uint8_t *at;
  wn_err_t err = wn_canon_span(walk->cx, WN_PLACE_TUPLE, ret, node->size, node->align, &at);
  if (!err) err = store(walk, node, ret);
  return done(walk->values, err);
}

wn_err_t wn_canon_lower_result(wn_canon_cx_t *cx, const wn_plan_t *plan, wn_values_t *in, void *slots, uint32_t shift,
                               uint32_t ret) {
  if (plan->result == WN_PLAN_NONE) return done(in, 0);
  wn_walk_t walk = wn_walk_new(cx, plan, in);
  const wn_node_t *node = &walk.nodes[plan->result];
  if (node->flats <= 1) {
    flat_t flat = {slots, shift, 0};
    return done(in, lower_flat(&walk, node, &flat));
  }
  return store_result(&walk, node, ret);
}

uint32_t wn_canon_ret_async(const wn_plan_t *plan, const void *slots, uint32_t shift) {
  if (plan->result == WN_PLAN_NONE) return 0;
  uint32_t params = plan->params == WN_PLAN_NONE ? 0 : wn_plan_node(plan, plan->params)->flats;
  return (uint32_t)*wn_canon_slot(slots, shift, params > WN_FLAT_ASYNC_MAX ? 1 : params);
}

wn_err_t wn_canon_lower_result_async(wn_canon_cx_t *cx, const wn_plan_t *plan, wn_values_t *in, uint32_t ret) {
  if (plan->result == WN_PLAN_NONE) return done(in, 0);
  wn_walk_t walk = wn_walk_new(cx, plan, in);
  return store_result(&walk, &walk.nodes[plan->result], ret);
}
