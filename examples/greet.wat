;; A plugin that talks to its host: greet(length) reads a name at 1024 and hands a text to the host's "log".
(module
  (import "host" "log" (func $log (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 1017) "Hello, ")
  (func (export "greet") (param $length i32) (result i32)
    (call $log (i32.const 1017) (i32.add (local.get $length) (i32.const 7)))
    (i32.add (local.get $length) (i32.const 7))))
