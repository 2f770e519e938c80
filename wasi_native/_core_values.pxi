# Values of components at the seam: Python objects to a value stream and back (wasi_native/values.h), by shapes that
# are made once for each type. What is wrong with a value is a TypeError, ValueError or OverflowError; the place in the
# value stands before its text: "[3].x: 300 is out of range of u8".

cdef enum:
    S_BOOL, S_INT, S_F32, S_F64, S_CHAR, S_STRING, S_BYTES, S_LIST, S_MAP, S_TUPLE, S_RECORD, S_VARIANT, S_ENUM
    S_FLAGS, S_OPTION, S_RESULT, S_HANDLE

cdef dict KINDS = {"bool": S_BOOL, "f32": S_F32, "f64": S_F64, "char": S_CHAR, "string": S_STRING, "list": S_LIST,
                   "map": S_MAP, "tuple": S_TUPLE, "record": S_RECORD, "variant": S_VARIANT, "enum": S_ENUM,
                   "flags": S_FLAGS, "option": S_OPTION, "result": S_RESULT, "own": S_HANDLE, "borrow": S_HANDLE,
                   "u8": S_INT, "s8": S_INT, "u16": S_INT, "s16": S_INT, "u32": S_INT, "s32": S_INT, "u64": S_INT,
                   "s64": S_INT}


cdef dict COSTS = {"bool": 0, "enum": 0, "f32": 24, "f64": 24, "char": 76, "string": 56, "list": 56, "map": 64,
                   "tuple": 56, "record": 64, "variant": 64, "flags": 48, "option": 48, "result": 48, "own": 64,
                   "borrow": 64, "u8": 0, "s8": 28, "u16": 28, "s16": 28, "u32": 28, "s32": 28, "u64": 32, "s64": 32}


cdef inline str kind_of(object value):
    return type(value).__name__


cdef uint8_t *room(wn_values_t *out, size_t size) except NULL:
    cdef wn_err_t err = 0
    cdef uint8_t *at = wn_values_put(out, size, &err)
    if at == NULL:
        if err == WN_LIMIT:
            raise CoreError(err, "the values are more than a call may carry", 0, "value_bytes")
        check(err)
    return at


cdef inline int put32(wn_values_t *out, uint32_t value) except -1:
    memcpy(room(out, 4), &value, 4)
    return 0


cdef const uint8_t *some(wn_values_t *stream, size_t size) except NULL:
    cdef const uint8_t *at = wn_values_get(stream, size)
    if at == NULL:
        raise ValueError("a value stream ends too early")
    return at


cdef inline uint32_t get32(wn_values_t *stream) except? 0:
    cdef uint32_t value
    memcpy(&value, some(stream, 4), 4)
    return value


cdef int charge(wn_values_t *stream, uint64_t count, uint64_t cost) except -1:
    """Objects of Python are many times what a guest needs to have them made; and what is lent counts as well."""
    if wn_values_charge(stream, count * cost):
        raise CoreError(WN_LIMIT, "the values are more than a call may carry", 0, "value_bytes")
    return 0


cdef int put_bytes(wn_values_t *out, bytes data) except -1:
    cdef size_t size = len(data), head = 12 if out.lends else 4
    cdef uint8_t *at = room(out, head + size)
    cdef uint32_t count = <uint32_t>size
    cdef uint64_t here = 0
    memcpy(at, &count, 4)
    if out.lends:
        memcpy(at + 4, &here, 8)
    memcpy(at + head, PyBytes_AsString(data), size)
    return 0


cdef int lend_bytes(wn_values_t *out, bytes data) except -1:
    """Where they are: the caller has them until the stream is read."""
    cdef uint32_t count = <uint32_t>len(data)
    cdef uint64_t there = <uintptr_t>PyBytes_AsString(data)
    cdef uint8_t *at
    if len(data) > 0xffffffff:
        raise OverflowError("bytes are too long")
    charge(out, len(data), 1)
    at = room(out, 12)
    memcpy(at, &count, 4)
    memcpy(at + 4, &there, 8)
    return 0


cdef object items_of(object value, str what):
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, (str, dict)) or not hasattr(value, "__iter__"):
        raise TypeError(f"{what} is needed, not {kind_of(value)}")
    return list(value)


cdef int wrong_at(str place, error) except -1:
    """The error of a part; what is wrong says where."""
    text = str(error)
    kind = OverflowError if isinstance(error, OverflowError) else \
        TypeError if isinstance(error, TypeError) else ValueError
    raise kind(f"{place}{'' if text.startswith(('[', '.', '(')) else ': '}{text}") from None


cdef object made_with(object cls, tuple names, list values):
    """An object of a frozen class with slots, without the way through its __init__."""
    made = cls.__new__(cls)
    for i in range(len(names)):
        PyObject_GenericSetAttr(made, names[i], values[i])
    return made


cdef class Shape:
    """One type of values. ``parts``: the shapes of what is inside, None for a payload that there is none of.

    list: ``extra`` is its length or None; record: (class, attributes, labels); variant: (class, its cases); enum:
    (class, members, labels); flags: (class, labels); option: the class Some if another option is inside, else None;
    result: (Ok, Err); own and borrow: (give, take), which turn an object into its representation and back.
    """

    cdef int kind, size
    cdef uint64_t cost  # bytes of Python's object for a value, without what lists, strings and bytes hold
    cdef bint is_signed
    cdef int64_t least, most
    cdef readonly str name
    cdef tuple parts
    cdef object extra, cls, members, labels

    def __cinit__(self, str name, tuple parts=(), extra=None):
        cdef int bits
        self.name, self.parts, self.extra = name, parts, extra
        self.kind = KINDS[name]
        if self.kind == S_INT:
            bits = int(name[1:])
            self.size, self.is_signed = bits // 8, name[0] == "s"
            self.most = INT64_MAX if bits == 64 else (<int64_t>1 << (bits - self.is_signed)) - 1
            self.least = -self.most - 1 if self.is_signed else 0
        elif self.kind == S_LIST and extra is None and (<Shape>parts[0]).name == "u8":
            self.kind = S_BYTES
        elif self.kind == S_RECORD:
            self.cls, self.members, self.labels = extra
        elif self.kind == S_VARIANT:
            self.cls, self.members = extra
        elif self.kind == S_ENUM:
            self.cls, self.members, labels = extra
            self.labels = {label: i for i, label in enumerate(labels)}
        elif self.kind == S_FLAGS:
            self.cls, labels = extra
            self.labels = {label: 1 << i for i, label in enumerate(labels)}
            self.most = (<int64_t>1 << len(labels)) - 1
        elif self.kind == S_RESULT or self.kind == S_HANDLE:
            self.cls, self.members = extra
        self.cost = COSTS[name]
        for part in parts:
            if part is not None and self.kind not in (S_LIST, S_MAP):
                self.cost += 8 + (<Shape>part).cost

    # ---- to a stream ----

    cdef int put(self, object value, wn_values_t *out) except -1:
        cdef int kind = self.kind
        cdef Py_ssize_t size = 0
        cdef const char *text
        cdef double number
        cdef uint64_t bits
        if kind == S_INT:
            return self.put_int(value, out)
        if kind == S_STRING:
            if not isinstance(value, str):
                raise TypeError(f"a str is needed, not {kind_of(value)}")
            try:
                text = PyUnicode_AsUTF8AndSize(value, &size)
            except UnicodeEncodeError as error:
                raise ValueError(str(error)) from None
            room(out, 1)[0] = WN_TEXT_UTF8
            put32(out, <uint32_t>size)
            memcpy(room(out, size), text, size)
            return 0
        if kind == S_BYTES:
            if type(value) is bytes:
                return put_bytes(out, value)
            try:
                return put_bytes(out, bytes(value if isinstance(value, (list, tuple)) else memoryview(value)))
            except TypeError:
                raise TypeError(f"bytes are needed, not {kind_of(value)}") from None
        if kind == S_LIST:
            return self.put_list(value, out)
        if kind == S_F64 or kind == S_F32:
            if not hasattr(value, "__float__"):
                raise TypeError(f"a number is needed, not {kind_of(value)}")
            number = value
            bits = wn_bits_f64(number) if kind == S_F64 else wn_bits_f32(number)
            if number != number:
                bits = 0x7ff8000000000000 if kind == S_F64 else 0x7fc00000
            size = 8 if kind == S_F64 else 4
            memcpy(room(out, size), &bits, size)
            return 0
        if kind == S_BOOL:
            if value is not True and value is not False:
                raise TypeError(f"True or False is needed, not {kind_of(value)}")
            room(out, 1)[0] = value is True
            return 0
        if kind == S_CHAR:
            if not isinstance(value, str) or len(value) != 1:
                raise TypeError(f"a str of one character is needed, not {value!r}")
            if "\ud800" <= value <= "\udfff":
                raise ValueError("a surrogate is no character")
            return put32(out, ord(value))
        if kind == S_HANDLE:
            return put32(out, self.cls(value))
        if kind == S_RECORD:
            return self.put_record(value, out)
        if kind == S_OPTION:
            return self.put_option(value, out)
        if kind == S_RESULT:
            return self.put_result(value, out)
        if kind == S_TUPLE:
            return self.put_tuple(value, out)
        if kind == S_MAP:
            return self.put_map(value, out)
        if kind == S_VARIANT:
            return self.put_variant(value, out)
        if kind == S_ENUM:
            label = value if isinstance(value, str) else getattr(value, "value", None)
            index = self.labels.get(label) if isinstance(label, str) else None
            if index is None:
                raise ValueError(f"a value of {self.cls.__name__} is needed, not {value!r}")
            return put32(out, index)
        return self.put_flags(value, out)

    cdef int put_int(self, object value, wn_values_t *out) except -1:
        cdef long long number = 0
        cdef unsigned long long large
        cdef int overflow = 0
        if not isinstance(value, int):
            if not hasattr(value, "__index__"):
                raise TypeError(f"an integer is needed, not {kind_of(value)}")
            value = value.__index__()
        number = PyLong_AsLongLongAndOverflow(value, &overflow)
        if overflow > 0 and self.size == 8 and not self.is_signed and value <= 0xffffffffffffffff:
            large = value
            memcpy(room(out, 8), &large, 8)
            return 0
        if overflow or number < self.least or number > self.most:
            raise OverflowError(f"{value} is out of range of {self.name}")
        memcpy(room(out, self.size), &number, self.size)
        return 0

    cdef int put_list(self, object value, wn_values_t *out) except -1:
        cdef Shape part = self.parts[0]
        cdef Py_ssize_t i, count
        items = items_of(value, "a list")
        count = len(items)
        if self.extra is not None:
            if count != self.extra:
                raise ValueError(f"a list of {self.extra} elements is needed, not {count}")
        elif count > 0xfffffff:
            raise OverflowError(f"a list of {count} elements is too long")
        else:
            put32(out, <uint32_t>count)
        room(out, <size_t>count * part.size)
        out.used -= <size_t>count * part.size
        i = 0
        try:
            if part.kind == S_INT:
                for i in range(count):
                    part.put_int(items[i], out)
            else:
                for i in range(count):
                    part.put(items[i], out)
        except (TypeError, ValueError, OverflowError) as error:
            wrong_at(f"[{i}]", error)
        return 0

    cdef int put_tuple(self, object value, wn_values_t *out) except -1:
        cdef Py_ssize_t i, count = len(self.parts)
        items = items_of(value, "a tuple")
        if len(items) != count:
            raise ValueError(f"a tuple of {count} is needed, not of {len(items)}")
        i = 0
        try:
            for i in range(count):
                (<Shape>self.parts[i]).put(items[i], out)
        except (TypeError, ValueError, OverflowError) as error:
            wrong_at(f"[{i}]", error)
        return 0

    cdef int put_map(self, object value, wn_values_t *out) except -1:
        put32(out, len(value))
        for key, item in value.items():
            try:
                (<Shape>self.parts[0]).put(key, out)
            except (TypeError, ValueError, OverflowError) as error:
                wrong_at("a key", error)
            try:
                (<Shape>self.parts[1]).put(item, out)
            except (TypeError, ValueError, OverflowError) as error:
                wrong_at(f"[{key!r}]", error)
        return 0

    cdef int put_record(self, object value, wn_values_t *out) except -1:
        cdef Py_ssize_t i
        cdef bint named = isinstance(value, dict)
        for i in range(len(self.parts)):
            name = self.members[i]
            try:
                if named:
                    item = value[name] if name in value else value[self.labels[i]]
                else:
                    item = getattr(value, name)
            except (AttributeError, KeyError):
                raise TypeError(f"{self.cls.__name__} has {name}, {kind_of(value)} has not") from None
            try:
                (<Shape>self.parts[i]).put(item, out)
            except (TypeError, ValueError, OverflowError) as error:
                wrong_at(f".{name}", error)
        return 0

    cdef int put_option(self, object value, wn_values_t *out) except -1:
        if value is None:
            return put32(out, 0)
        if self.extra is not None and not isinstance(value, self.extra[0]):
            if self.extra[1]:
                raise TypeError(f"None or Some(value) is needed, not {kind_of(value)}")
        elif self.extra is not None:
            value = value.value
        put32(out, 1)
        return (<Shape>self.parts[0]).put(value, out)

    cdef int put_result(self, object value, wn_values_t *out) except -1:
        cdef bint bad = isinstance(value, self.members)
        if not bad and not isinstance(value, self.cls):
            raise TypeError(f"Ok(value) or Err(value) is needed, not {kind_of(value)}")
        part, item = self.parts[bad], value.value
        put32(out, bad)
        if part is not None:
            return (<Shape>part).put(item, out)
        if item is not None:
            raise TypeError(f"{kind_of(value)} carries nothing here, not {kind_of(item)}")
        return 0

    cdef int put_variant(self, object value, wn_values_t *out) except -1:
        index, label = getattr(value, "index", None), getattr(value, "label", None)
        if not isinstance(index, int) or not 0 <= index < len(self.members) or self.members[index].label != label:
            raise TypeError(f"a case of {self.cls.__name__} is needed, not {kind_of(value)}")
        put32(out, index)
        part = self.parts[index]
        if part is None:
            return 0
        try:
            return (<Shape>part).put(value.value, out)
        except (TypeError, ValueError, OverflowError) as error:
            return wrong_at(f"({label})", error)

    cdef int put_flags(self, object value, wn_values_t *out) except -1:
        number = value if type(value) is int else getattr(value, "value", None)
        if type(number) is not int:
            number = 0
            for label in items_of(value, "flags"):
                if label not in self.labels:
                    raise ValueError(f"{self.cls.__name__} has no flag {label!r}")
                number |= self.labels[label]
        if not 0 <= number <= self.most:
            raise ValueError(f"{self.cls.__name__} has no flags {number:#x}")
        return put32(out, number)

    # ---- from a stream ----

    cdef object get(self, wn_values_t *stream):
        cdef int kind = self.kind
        cdef uint64_t bits = 0
        cdef uint32_t count
        cdef const uint8_t *at
        if kind == S_INT:
            memcpy(&bits, some(stream, self.size), self.size)
            if not self.is_signed:
                return bits
            return <int64_t>(bits << (64 - 8 * self.size)) >> (64 - 8 * self.size)
        if kind == S_STRING:
            return self.get_string(stream)
        if kind == S_BYTES:
            count = get32(stream)
            if stream.lends:
                memcpy(&bits, some(stream, 8), 8)
            at = <const uint8_t *><uintptr_t>bits if bits else some(stream, count)
            return PyBytes_FromStringAndSize(<const char *>at, <Py_ssize_t>count)
        if kind == S_LIST:
            return self.get_list(stream)
        if kind == S_F64:
            memcpy(&bits, some(stream, 8), 8)
            return wn_f64_bits(bits)
        if kind == S_F32:
            memcpy(&bits, some(stream, 4), 4)
            return wn_f32_bits(bits)
        if kind == S_BOOL:
            return some(stream, 1)[0] != 0
        if kind == S_CHAR:
            return chr(get32(stream))
        if kind == S_HANDLE:
            return self.members(get32(stream))
        if kind == S_RECORD:
            return made_with(self.cls, self.members, self.get_parts(stream))
        if kind == S_TUPLE:
            return tuple(self.get_parts(stream))
        if kind == S_ENUM:
            return self.members[get32(stream)]
        if kind == S_FLAGS:
            return self.cls(get32(stream))
        if kind == S_MAP:
            found = {}
            count = get32(stream)
            charge(stream, count, 100 + (<Shape>self.parts[0]).cost + (<Shape>self.parts[1]).cost)
            for _ in range(count):
                key = (<Shape>self.parts[0]).get(stream)
                found[key] = (<Shape>self.parts[1]).get(stream)
            return found
        count = get32(stream)
        if kind == S_OPTION:
            if not count:
                return None
            item = (<Shape>self.parts[0]).get(stream)
            return self.extra[0](item) if self.extra[1] else item
        part = self.parts[count]
        item = None if part is None else (<Shape>part).get(stream)
        if kind == S_RESULT:
            return (self.members if count else self.cls)(item)
        return made_with(self.members[count], ("value",), [item])

    cdef str get_string(self, wn_values_t *stream):
        cdef uint8_t form = some(stream, 1)[0]
        cdef uint32_t units = get32(stream)
        cdef Py_ssize_t size = <Py_ssize_t>units * (2 if form & 1 else 1)
        cdef const char *text = <const char *>some(stream, size)
        if form == WN_TEXT_UTF8:
            return PyUnicode_DecodeUTF8(text, size, NULL)
        return PyBytes_FromStringAndSize(text, size).decode("latin-1" if form == WN_TEXT_LATIN1 else "utf-16-le")

    cdef list get_parts(self, wn_values_t *stream):
        return [(<Shape>part).get(stream) for part in self.parts]

    cdef list get_list(self, wn_values_t *stream):
        cdef Shape part = self.parts[0]
        cdef uint32_t i, count = get32(stream) if self.extra is None else self.extra
        cdef list found = []
        charge(stream, count, 8 + part.cost)
        if part.kind != S_INT or part.size == 8:
            for i in range(count):
                PyList_Append(found, part.get(stream))
            return found
        cdef const uint8_t *at = some(stream, <size_t>count * part.size)
        cdef int64_t number
        cdef int unused = 64 - 8 * part.size
        for i in range(count):
            number = 0
            memcpy(&number, at, part.size)
            at += part.size
            if part.is_signed:
                number = number << unused >> unused
            PyList_Append(found, number)
        return found

    # ---- alone, without a call ----

    def dump(self, value):
        """The stream of a value, as bytes."""
        return dumped((self,), None, (value,))

    def load(self, data, Py_ssize_t at=0):
        """(the value in a stream from ``at`` on, where it ends)."""
        cdef wn_values_t stream
        cdef bytes whole = data if type(data) is bytes else bytes(data)
        wn_values_init(&stream, PyBytes_AsString(whole), len(whole), NULL)
        stream.used, stream.at = len(whole), min(at, len(whole))
        return self.get(&stream), <Py_ssize_t>stream.at


cdef int put_all(tuple shapes, tuple names, object args, wn_values_t *out) except -1:
    cdef Py_ssize_t i
    for i in range(len(shapes)):
        try:
            # Nobody else can take it out of a tuple that we hold: its bytes need not be copied.
            if out.lends and (<Shape>shapes[i]).kind == S_BYTES and type(args) is tuple and type(args[i]) is bytes:
                lend_bytes(out, args[i])
            else:
                (<Shape>shapes[i]).put(args[i], out)
        except (TypeError, ValueError, OverflowError) as error:
            if names is None:
                raise
            wrong_at(f"argument {names[i]}", error)
    return 0


cdef bytes dumped(tuple shapes, tuple names, object args):
    cdef wn_values_t out
    cdef wn_arena_t *arena
    cdef uint8_t here[512]
    check(wn_arena_new(NULL, 0xffffffff, &arena))
    wn_values_init(&out, here, sizeof(here), arena)
    try:
        put_all(shapes, names, args, &out)
        return PyBytes_FromStringAndSize(<const char *>out.bytes, <Py_ssize_t>out.used)
    finally:
        wn_values_deinit(&out)
        wn_arena_delete(arena)


cdef class Lane:
    """The shapes of a function: of each parameter, with its name, and of the result, or None."""

    cdef tuple params, names
    cdef Shape result

    def __cinit__(self, tuple params, tuple names, Shape result=None):
        self.params, self.names, self.result = params, names, result

    cdef int put_params(self, object args, wn_values_t *out) except -1:
        if len(args) != len(self.params):
            raise TypeError(f"{len(self.params)} arguments are needed, not {len(args)}")
        return put_all(self.params, self.names, args, out)

    cdef tuple get_params(self, wn_values_t *stream):
        return tuple([(<Shape>shape).get(stream) for shape in self.params])

    cdef int put_result(self, object value, wn_values_t *out) except -1:
        if self.result is not None:
            self.result.put(value, out)
        elif value is not None:
            raise TypeError(f"a result of None is needed, not {kind_of(value)}")
        return 0

    cdef bint answers_bytes(self) noexcept:
        """Bytes alone, which are made without running anything: of a value with parts, what is made of one could run the
        guest, which could move what lies there of the next."""
        return self.result is not None and self.result.kind == S_BYTES

    cdef object get_result(self, wn_values_t *stream):
        return None if self.result is None else self.result.get(stream)

    def dump(self, args):
        """The stream of arguments, as bytes."""
        if len(args) != len(self.params):
            raise TypeError(f"{len(self.params)} arguments are needed, not {len(args)}")
        return dumped(self.params, self.names, args)

    def load(self, bytes data):
        """The result in a stream."""
        return None if self.result is None else self.result.load(data)[0]
