/* wasi_native.h - all that a C program needs to host WASI guests: see engine.h for the way in. */
#ifndef WASI_NATIVE_H
#define WASI_NATIVE_H

#include "wasi_native/base.h"
#include "wasi_native/component.h"
#include "wasi_native/engine.h"
#include "wasi_native/limits.h"
#include "wasi_native/net.h"
#include "wasi_native/sys.h"
#include "wasi_native/values.h"

#endif
