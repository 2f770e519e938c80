// clock - a program for wasip1 that imports functions of WASI 0.2 beside those of its run-time.
package main

import (
	"fmt"
	"unsafe"
)

type datetime struct {
	seconds     uint64
	nanoseconds uint32
	_           uint32
}

//go:wasmimport wasi:clocks/wall-clock@0.2.0 now
func wallNow(out unsafe.Pointer)

//go:wasmimport wasi:clocks/monotonic-clock@0.2.0 now
func monotonicNow() uint64

//go:wasmimport wasi:random/random@0.2.0 get-random-u64
func randomWord() uint64

func main() {
	var time datetime
	wallNow(unsafe.Pointer(&time))
	fmt.Println(time.seconds, monotonicNow(), randomWord())
}
