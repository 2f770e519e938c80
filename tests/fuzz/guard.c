/* guard.c - any bytes as a module: the reader and the rewriter touch nothing outside of them, and what comes out
 * says of itself what the module said, and that it imports the check and exports the flag.
 *
 * An input is a setting, then edits, first of the contents of the sections of a module that has a bit of everything,
 * whose sizes are made right, then of the module as a whole. The module is a block of just its size.
 */
#include "fuzz.h"

#include "core/engine/wasm_guard.h"

enum { ROOM = 4096, SECTION_ROOM = 512, EDITS = 5 };

typedef struct part {
  uint8_t id;
  const char *bytes;
  size_t size;
} part_t;
#define PART(id, bytes) {id, bytes, sizeof(bytes) - 1}

/* What one byte of an instruction may be followed by stands in one of these bodies. */
#define BODY_CALLS                                                                                                   \
  "\x1e\x01\x01\x7f\x10\x00\x10\x02\x41\x00\x11\x00\x80\x00\x03\x40\x02\x40\x0c\x01\x0b\x0b\x12\x02\x13\x00\x00\x41" \
  "\x00\x1a\x0b"
#define BODY_MEMORY                                                                                                  \
  "\x21\x00\x41\x00\x40\x00\x1a\x3f\x80\x00\x1a\x41\x00\x28\x02\x04\x1a\xfc\x09\x00\xfc\x0a\x00\x80\x00\xfc\x08\x00" \
  "\x00\xfc\x0b\x00\x00\x0b"
#define BODY_MORE                                                                                                    \
  "\x21\x00\xd0\x70\x1a\xd2\x02\x1a\x1c\x01\x7f\x0e\x02\x00\x00\x00\xfd\x15\x03\xfd\x54\x00\x00\x01\xfe\x03\x00\xfb" \
  "\x02\x01\x01\x08\x00\x0b"

static const part_t PARTS[] = {
    PART(1, "\x04\x60\x00\x00\x5f\x02\x7f\x01\x63\x70\x00\x60\x02\x7f\x7e\x01\x7d\x4e\x01\x50\x00\x5e\x78\x01"),
    PART(2,
         "\x05\x01m\x01"
         "f\x00\x00\x01m\x01t\x01\x70\x01\x01\x09\x01m\x01m\x02\x03\x01\x09"
         "\x01m\x01g\x03\x7f\x01\x01m\x01x\x04\x00\x00"),
    PART(3, "\x03\x00\x00\x00"),
    PART(4, "\x02\x40\x00\x70\x00\x02\xd2\x01\x0b\x6f\x05\x00\x09"),
    PART(5, "\x02\x00\x02\x05\x01\x02"),
    PART(13, "\x01\x00\x00"),
    PART(6, "\x02\x7f\x01\x41\x05\x41\x06\x6a\x0b\x70\x00\xd2\x01\x0b"),
    PART(7, "\x03\x01\x61\x00\x01\x01\x62\x02\x00\x01\x63\x03\x01"),
    PART(8, "\x02"),
    PART(9,
         "\x07\x00\x41\x00\x0b\x01\x01\x01\x00\x01\x02\x02\x00\x41\x00\x0b\x00\x01\x01\x03\x00\x01\x01"
         "\x04\x41\x01\x0b\x01\xd2\x01\x0b\x05\x70\x01\xd0\x70\x0b\x06\x00\x41\x00\x0b\x70\x01\xd2\x03\x0b"),
    PART(12, "\x02"),
    PART(10, "\x03" BODY_CALLS BODY_MEMORY BODY_MORE),
    PART(11, "\x03\x00\x41\x00\x0b\x02hi\x01\x01x\x02\x00\x41\x03\x0b\x00"),
    PART(0, "\x04name\xff"),
};

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  return 0;
}

/* Bytes changed, put in and taken out. */
static size_t edit(input_t *in, uint8_t *bytes, size_t size, size_t room) {
  for (uint8_t n = take8(in) % EDITS; n; n--) {
    uint8_t how = take8(in), value = take8(in);
    size_t at = size ? (take8(in) | (size_t)take8(in) << 8) % size : 0;
    if (how % 4 == 0 && size < room) {
      memmove(bytes + at + 1, bytes + at, size - at);
      bytes[at] = value;
      size++;
    } else if (how % 4 == 1 && size) {
      memmove(bytes + at, bytes + at + 1, size - at - 1);
      size--;
    } else if (how % 4 == 2 && size) {
      bytes[at] ^= (uint8_t)(1 << value % 8);
    } else if (size) {
      bytes[at] = value;
    }
  }
  return size;
}

static size_t assemble(input_t *in, uint8_t *module) {
  static const uint8_t HEAD[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
  size_t size = sizeof HEAD;
  memcpy(module, HEAD, size);
  uint32_t absent = take32(in), edited = take32(in); /* most inputs keep most of it */
  absent = take8(in) & 7 ? 0 : absent & absent >> 16;
  edited &= edited >> 16;
  for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
    uint8_t bytes[SECTION_ROOM];
    size_t length = PARTS[i].size;
    memcpy(bytes, PARTS[i].bytes, length);
    if (edited >> i & 1) length = edit(in, bytes, length, sizeof bytes);
    if (absent >> i & 1) continue;
    module[size++] = PARTS[i].id;
    module[size++] = (uint8_t)(0x80 | (length & 0x7f));
    module[size++] = (uint8_t)(length >> 7);
    memcpy(module + size, bytes, length);
    size += length;
  }
  return take8(in) & 1 ? size : edit(in, module, size, ROOM);
}

static bool same(wn_str_t a, wn_str_t b) { return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0; }

static bool is(wn_str_t a, const char *b) { return a.len == strlen(b) && memcmp(a.ptr, b, a.len) == 0; }

static void compare(const wn_wasm_t *before, const wn_wasm_t *after, const wn_wasm_guard_t *how) {
  wn_extern_t a, b;
  size_t i = 0;
  for (; wn_wasm_import(before, i, &a); i++) {
    CHECK(wn_wasm_import(after, i, &b), "import %zu is gone", i);
    CHECK(same(a.module, b.module) && same(a.name, b.name) && a.kind == b.kind && !strcmp(a.params, b.params) &&
              !strcmp(a.results, b.results) && a.min == b.min && b.max <= (a.max ? a.max : 1),
          "import %zu is another", i);
    if (a.kind == WN_EXTERN_MEMORY && how->memory_pages) CHECK(b.max <= how->memory_pages, "import %zu", i);
  }
  CHECK(wn_wasm_import(after, i, &b) && is(b.module, "wn") && is(b.name, "check") && !b.params[0] && !b.results[0],
        "the check is missing");
  CHECK(!wn_wasm_import(after, i + 1, &b), "an import too many");
  for (i = 0; wn_wasm_export(before, i, &a); i++) {
    CHECK(wn_wasm_export(after, i, &b), "export %zu is gone", i);
    CHECK(same(a.name, b.name) && a.kind == b.kind && !strcmp(a.params, b.params) && !strcmp(a.results, b.results),
          "export %zu is another", i);
  }
  CHECK(wn_wasm_export(after, i, &b) && is(b.name, "wn:stop") && b.kind == WN_EXTERN_GLOBAL, "the flag is missing");
  bool starts = wn_wasm_export(after, i + 1, &b);
  CHECK(
      !starts || (how->start && is(b.name, "wn:start") && b.kind == WN_EXTERN_FUNC && !b.params[0] && !b.results[0]),
      "an export too many");
  for (i = 0; i < after->memory_count + (size_t)after->table_count; i++) CHECK(after->limits, "no limits");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input_t in = {data, data + size};
  uint8_t setting = take8(&in);
  wn_wasm_guard_t how = {.check = setting & 1 ? WN_GUARD_COUNT : WN_GUARD_FLAG,
                         .start = setting & 2,
                         .grow = setting & 4,
                         .copy_fill = setting & 8,
                         .zero_is_none = setting & 8,
                         .memory_pages = setting & 16 ? 8 : 0,
                         .table_elements = setting & 16 ? 100 : 0,
                         .nesting = setting & 32 ? 20 : 0,
                         .call_bytes = setting & 32 ? 96 : 0,
                         .loop_bytes = setting & 32 ? 64 : 0,
                         .proposals = setting & 64 ? WN_PROPOSAL_ALL : take32(&in)};
  static uint8_t room[ROOM + sizeof PARTS];
  size_t length = assemble(&in, room);
  char *block = malloc(length ? length : 1);
  memcpy(block, room, length);
  wn_str_t wasm = {block, length}, out, again;
  const wn_os_t *os = wn_os_posix();
  wn_message_t message = {0};
  wn_wasm_t *before = NULL, *after = NULL;
  wn_err_t read = wn_wasm_new(os, wasm, how.proposals, &before, &message);
  CHECK(read == 0 || (read == WN_INVALID && message.text[0]), "the reader answered %d", read);
  wn_err_t err = wn_wasm_guard(os, wasm, &how, &out, &message);
  CHECK(err == 0 || (err == WN_INVALID && message.text[0]), "the rewriter answered %d", err);
  CHECK(err || !read, "rewritten, and not readable");
  if (!err) {
    wn_wasm_guard_t all = {.proposals = WN_PROPOSAL_ALL};
    CHECK(wn_wasm_new(os, out, how.proposals, &after, &message) == 0, "%s", message.text);
    compare(before, after, &how);
    CHECK(wn_wasm_guard(os, out, &all, &again, &message) == WN_INVALID, "guarded twice");
    os->free(os, (void *)out.ptr);
  }
  wn_wasm_delete(before);
  wn_wasm_delete(after);
  free(block);
  return 0;
}
