/* pyconfig.h - in the place of CPython's own: what the headers of the stable ABI ask, answered by the compiler, so
 * that one set of headers serves every machine. The wheel tool puts it beside a copy of the running Python's headers.
 */
#ifndef Py_PYCONFIG_H
#define Py_PYCONFIG_H

#ifndef Py_LIMITED_API
#error "these headers know sizes alone: they serve extensions of the stable ABI"
#endif

#define SIZEOF_SHORT __SIZEOF_SHORT__
#define SIZEOF_INT __SIZEOF_INT__
#define SIZEOF_LONG __SIZEOF_LONG__
#define SIZEOF_LONG_LONG __SIZEOF_LONG_LONG__
#define SIZEOF_VOID_P __SIZEOF_POINTER__
#define SIZEOF_UINTPTR_T __SIZEOF_POINTER__
#define SIZEOF_SIZE_T __SIZEOF_SIZE_T__
#define SIZEOF_WCHAR_T __SIZEOF_WCHAR_T__
#define SIZEOF_FLOAT __SIZEOF_FLOAT__
#define SIZEOF_DOUBLE __SIZEOF_DOUBLE__
#define SIZEOF__BOOL 1
#define SIZEOF_PID_T 4
#define SIZEOF_OFF_T 8
#define DOUBLE_IS_LITTLE_ENDIAN_IEEE754 1

#define HAVE_SSIZE_T 1
#define HAVE_WCHAR_H 1
#define HAVE_SYS_TYPES_H 1
#define HAVE_SYS_STAT_H 1
#define HAVE_SYS_TIME_H 1
#define HAVE_SYS_SELECT_H 1
#define HAVE_PTHREAD_H 1
#define HAVE_CLOCK_GETTIME 1
#define HAVE_STDARG_PROTOTYPES 1
#define STDC_HEADERS 1
#define WITH_DOC_STRINGS 1

#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#define _LARGEFILE_SOURCE 1

#endif
