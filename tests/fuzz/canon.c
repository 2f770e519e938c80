/* canon.c - any plan that loads, any memory, any stream, and a guest whose realloc lies: nothing outside the memory
 * is touched, and every answer is 0 or a verdict.
 *
 * An input is a setting, a recipe for the types, then what fills the memory, the core values and the stream. The
 * memory is a block of just its size, made anew whenever the guest "grows" it, so a place that was kept over a
 * realloc is one of the sanitizer's reports.
 */
#include "fuzz.h"

#include "core/mem/canon.h"

enum { NODES = 48, ITEMS = 160, MEMORY = 2048, GROWN = 4096 };

typedef struct build {
  wn_plan_t plan;
  wn_node_t nodes[NODES];
  wn_item_t items[ITEMS];
} build_t;

typedef struct guest {
  wn_mem_t mem;
  input_t *in;
  uint32_t reallocs;
  uint32_t depth;
  const wn_plan_t *plan;
} guest_t;

static wn_arena_t *arena;

static void at_end(void) { wn_arena_delete(arena); }

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  CHECK(wn_arena_new(NULL, 1u << 20, &arena) == 0, "no arena");
  atexit(at_end);
  return 0;
}

static uint32_t up(uint32_t at, uint32_t align) { return (at + align - 1) / align * align; }

/* A scalar, string, flags or handle, as plan.h lays it out. */
static void leaf(wn_node_t *node, uint8_t how, uint32_t *resources) {
  static const uint8_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 4};
  static const char letters[] = "iiiiiiiIIfFi";
  static const uint8_t kinds[] = {0, 1, 2,  3,  4,           5,           6,          7,
                                  8, 9, 10, 11, WN_K_STRING, WN_K_STRING, WN_K_FLAGS, WN_K_OWN};
  node->kind = kinds[how % sizeof kinds];
  node->depth = node->flats = 1;
  node->flags = WN_NODE_FIXED;
  if (node->kind < WN_K_STRING) {
    node->size = node->align = sizes[node->kind];
    node->packed = node->size;
    node->letters[0] = letters[node->kind];
    if (node->kind != WN_K_BOOL && node->kind < WN_K_F32) node->flags |= WN_NODE_PLAIN;
    return;
  }
  memcpy(node->letters, "i", 2);
  node->size = node->align = node->packed = 4;
  if (node->kind == WN_K_STRING) {
    *node = (wn_node_t){WN_K_STRING, 4, WN_NODE_POINTER, 1, .size = 8, .packed = 5, .flats = 2, .letters = "ii"};
  } else if (node->kind == WN_K_FLAGS) {
    node->count = 1 + how / 16;
    node->size = node->align = node->count <= 8 ? 1 : node->count <= 16 ? 2 : 4;
  } else {
    node->kind = how & 32 ? WN_K_OWN : WN_K_BORROW;
    node->first = (how & 16) && *resources ? *resources - 1 : (*resources)++;
  }
}

static void listed(build_t *b, wn_node_t *node, input_t *in, uint32_t made) {
  const wn_node_t *element = &b->nodes[node->first = take8(in) % made];
  uint8_t length = take8(in) % 8;
  *node = (wn_node_t){
      WN_K_LIST,   4,          WN_NODE_POINTER, (uint8_t)(element->depth + 1), .size = 8, .first = node->first,
      .packed = 4, .flats = 2, .letters = "ii"};
  if (length == 0 || length > 4 || element->size > 4096) return;
  node->count = length;
  node->align = element->align;
  node->flags = element->flags;
  node->size = length * element->size;
  node->packed = length * element->packed;
  node->flats = 0;
  memset(node->letters, 0, sizeof node->letters);
  for (uint32_t i = 0; i < length; i++) {
    for (uint32_t k = 0; k < element->flats && node->flats < 17; k++)
      node->letters[node->flats++] = element->letters[k];
  }
}

static void record(build_t *b, wn_node_t *node, input_t *in, uint32_t made, uint32_t count) {
  uint8_t all = WN_NODE_FIXED | WN_NODE_PLAIN, any = 0;
  *node = (wn_node_t){WN_K_RECORD, 1, 0, 1, .first = b->plan.items, .count = count};
  for (uint32_t i = 0; i < count; i++) {
    uint32_t index = take8(in) % made;
    const wn_node_t *field = &b->nodes[index];
    node->size = up(node->size, field->align);
    b->items[b->plan.items++] = (wn_item_t){index, node->size};
    node->size += field->size;
    node->packed += field->packed;
    if (field->align > node->align) node->align = field->align;
    if (field->depth + 1 > node->depth) node->depth = (uint8_t)(field->depth + 1);
    all &= field->flags;
    any |= field->flags;
    for (uint32_t k = 0; k < field->flats && node->flats < 17; k++) node->letters[node->flats++] = field->letters[k];
  }
  node->size = up(node->size, node->align);
  node->flags = all | (any & WN_NODE_POINTER);
  if (node->packed != node->size) node->flags &= (uint8_t)~WN_NODE_PLAIN;
}

static void variant(build_t *b, wn_node_t *node, input_t *in, uint32_t made, uint32_t count) {
  uint32_t align = 1, size = 0, least = UINT32_MAX, most = 0;
  bool fixed = true;
  *node = (wn_node_t){WN_K_VARIANT, 1, 0, 1, .first = b->plan.items, .count = count, .flats = 1, .letters = "i"};
  for (uint32_t i = 0; i < count; i++) {
    uint32_t pick = take8(in), index = pick & 1 ? WN_PLAN_NONE : (pick >> 1) % made, bytes = 0;
    b->items[b->plan.items++] = (wn_item_t){index, 0};
    if (index != WN_PLAN_NONE) {
      const wn_node_t *payload = &b->nodes[index];
      if (payload->align > align) align = payload->align;
      if (payload->size > size) size = payload->size;
      if (payload->depth + 1 > node->depth) node->depth = (uint8_t)(payload->depth + 1);
      node->flags |= payload->flags & WN_NODE_POINTER;
      fixed = fixed && payload->flags & WN_NODE_FIXED;
      bytes = payload->packed;
      for (uint32_t k = 0; k < payload->flats && k < 16; k++) {
        char *at = &node->letters[k + 1], with = payload->letters[k];
        bool both = strchr("if", *at) && strchr("if", with);
        if (k + 1 >= node->flats) *at = with, node->flats++;
        else if (*at != with) *at = both ? 'i' : 'I';
      }
    }
    if (bytes < least) least = bytes;
    if (bytes > most) most = bytes;
  }
  node->align = (uint8_t)align;
  node->offset = up(1, align);
  node->size = up(node->offset + size, align);
  node->packed = 4 + least;
  if (fixed && least == most) node->flags |= WN_NODE_FIXED;
}

/* A plan that loads; its memory follows the words of plan.h, packed into `out`. */
static const wn_plan_t *plan_of(input_t *in, uint32_t *out, size_t room) {
  static build_t b;
  memset(&b, 0, sizeof b);
  b.plan.magic = WN_PLAN_MAGIC;
  b.plan.params = b.plan.result = WN_PLAN_NONE;
  uint32_t count = 1 + take8(in) % 20, made = 0;
  for (; made < count; made++) {
    wn_node_t *node = &b.nodes[made];
    uint8_t how = take8(in);
    if (made == 0 || how < 110) {
      leaf(node, how, &b.plan.resources);
    } else if (how < 160) {
      listed(&b, node, in, made);
    } else if (how < 210) {
      record(&b, node, in, made, 1 + how % 5);
    } else if (how < 250) {
      variant(&b, node, in, made, 1 + how % 5);
    } else {
      *node = (wn_node_t){WN_K_VARIANT, 1,           WN_NODE_FIXED, 1,          .size = 1,     .first = WN_PLAN_NONE,
                          .count = 7,   .offset = 1, .packed = 4,   .flats = 1, .letters = "i"};
    }
    if (node->size > 65536) *node = (wn_node_t){WN_K_U8, 1, 5, 1, .size = 1, .packed = 1, .flats = 1, .letters = "i"};
  }
  b.plan.result = made - 1;
  b.plan.params = made;
  record(&b, &b.nodes[made], in, made, 1 + take8(in) % 18);
  b.plan.nodes = ++made;
  uint8_t *at = (uint8_t *)out;
  size_t size = sizeof b.plan + made * sizeof *b.nodes + b.plan.items * sizeof *b.items;
  CHECK(size <= room, "no room for a plan");
  memcpy(at, &b.plan, sizeof b.plan);
  memcpy(at + sizeof b.plan, b.nodes, made * sizeof *b.nodes);
  memcpy(at + sizeof b.plan + made * sizeof *b.nodes, b.items, b.plan.items * sizeof *b.items);
  const wn_plan_t *plan;
  CHECK(wn_plan_load(out, size, &plan) == 0, "a plan was refused");
  return plan;
}

static void grow(guest_t *g, uint64_t size) {
  uint8_t *moved = malloc(size ? size : 1);
  memset(moved, 0x5a, size);
  memcpy(moved, g->mem.base, g->mem.size);
  free(g->mem.base);
  g->mem.base = moved;
  g->mem.size = size;
}

/* Another call while this one is under way: what a guest can do from its realloc. */
static void inside(guest_t *g, wn_canon_cx_t *outer) {
  wn_canon_cx_t cx = *outer;
  uint64_t slots[20];
  uint8_t room[64];
  wn_values_t values;
  for (int i = 0; i < 20; i++) slots[i] = take8(g->in) * 8u;
  wn_values_init(&values, room, sizeof room, arena);
  wn_canon_lift_params(&cx, g->plan, slots, 0, &values);
  wn_canon_lower_params(&cx, g->plan, &values, slots, 0, NULL);
  wn_values_deinit(&values);
}

static wn_err_t hostile(wn_canon_cx_t *cx, uint32_t old, uint32_t old_size, uint32_t align, uint32_t size,
                        uint32_t *ptr) {
  guest_t *g = cx->ctx;
  uint8_t how = take8(g->in);
  CHECK(align == 1 || align == 2 || align == 4 || align == 8, "align %u", align);
  CHECK((uint64_t)old + old_size <= g->mem.size, "realloc of what is not there");
  g->reallocs++;
  if (how & 0x80 && g->mem.size < 65536) grow(g, g->mem.size + (how & 0x40 ? GROWN : 0));
  if (how & 0x20 && g->depth < 2) {
    g->depth++;
    inside(g, cx);
    g->depth--;
  }
  switch (how & 15) {
    case 0:
      *ptr = take32(g->in);
      break;
    case 1:
      *ptr = (uint32_t)g->mem.size - size;
      break;
    case 2:
      *ptr = (uint32_t)g->mem.size - size + 1;
      break;
    case 3:
      *ptr = take8(g->in);
      break;
    case 4:
      return how & 16 ? WN_TIMEOUT : WN_TRAP_ENGINE;
    default:
      *ptr = up(16u * take8(g->in), align);
  }
  return 0;
}

static wn_err_t handle(wn_canon_cx_t *cx, wn_canon_op_t op, uint32_t resource, uint32_t in, uint32_t *out) {
  guest_t *g = cx->ctx;
  CHECK(op <= WN_LOWER_BORROW && resource < g->plan->resources, "op %d resource %u", (int)op, resource);
  *out = in ^ 0x55;
  if (take8(g->in) != 7) return 0;
  cx->reason = "unknown handle index 7";
  return WN_TRAP_CANON;
}

static void judge(const wn_canon_cx_t *cx, wn_err_t err, const char *what) {
  bool known = err == 0 || err == WN_TRAP_CANON || err == WN_LIMIT || err == WN_INVALID || err == WN_TIMEOUT ||
               err == WN_TRAP_ENGINE;
  CHECK(known, "%s answered %d", what, err);
  if (err == WN_TRAP_CANON || err == WN_LIMIT) CHECK(cx->reason && cx->reason[0], "%s: no reason", what);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint32_t words[(sizeof(build_t) + 3) / 4];
  input_t in = {data, data + size};
  uint8_t setting = take8(&in), room[96];
  const bool is_async = take8(&in) & 1;
  const wn_plan_t *plan = plan_of(&in, words, sizeof words);
  guest_t g = {.mem = {malloc(MEMORY), MEMORY}, .in = &in, .plan = plan};
  for (size_t i = 0; i < MEMORY; i++)
    g.mem.base[i] = size ? (uint8_t)(data[i % size] & (setting & 1 ? 0xff : 0x1f)) : 0;
  wn_canon_cx_t cx = {.mem = &g.mem, .realloc = hostile, .handle = handle, .ctx = &g, .encoding = setting % 3};
  cx.fused = setting & 64;
  uint32_t shift = setting >> 7;
  uint64_t slots[40];
  for (int i = 0; i < 40; i++) slots[i] = take8(&in) * (setting & 2 ? 0x0101010101010101u : 4u);
  wn_values_t values;
  wn_values_init(&values, room, sizeof room, arena);

  /* What a guest says, to a stream; from there back into it, as another guest or as the same. */
  bool result = setting & 4;
  wn_err_t err =
      result ? (is_async ? wn_canon_lift_returned : wn_canon_lift_result)(&cx, plan, slots, shift, &values)
             : (is_async ? wn_canon_lift_params_async : wn_canon_lift_params)(&cx, plan, slots, shift, &values);
  judge(&cx, err, "lift");
  CHECK(err != WN_INVALID, "lifting found a wrong stream");
  if (err || setting & 8) { /* any stream: that of a host function that is wrong */
    values.used = values.at = 0;
    for (uint32_t i = take8(&in); i > 0; i--) {
      uint8_t *at = wn_values_put(&values, 1, &err);
      if (at) *at = setting & 16 ? take8(&in) : take8(&in) & 3;
    }
    cx.encoding = (setting >> 4) % 3;
  } else {
    cx.encoding = (setting >> 5) % 3;
  }
  uint32_t ret = setting & 8 ? wn_canon_ret_async(plan, slots, shift) : take8(&in) * 4u;
  err = !result    ? wn_canon_lower_params(&cx, plan, &values, slots, shift, NULL)
        : is_async ? wn_canon_lower_result_async(&cx, plan, &values, ret)
                   : wn_canon_lower_result(&cx, plan, &values, slots, shift, ret);
  judge(&cx, err, "lower");
  CHECK(values.at <= values.used && values.used <= values.room, "a stream beyond its end");
  wn_values_deinit(&values);

  /* A plan that is not one: refused, or as good as one that loads. */
  if (size > 8 && setting & 32) {
    uint32_t index = data[size - 1] % 200 * 7 % (sizeof words / 4);
    words[index] ^= 1u << (data[size - 2] & 31);
    if (wn_plan_load(words, sizeof(wn_plan_t) + plan->nodes * 44ull + plan->items * 8ull, &plan) == 0) {
      wn_plan_info_t info;
      wn_plan_get_info(plan, &info);
      CHECK(strlen(info.lower_params) <= 17, "too many parameters");
    }
  }
  free(g.mem.base);
  return 0;
}
