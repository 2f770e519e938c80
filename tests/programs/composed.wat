;; A program of three: one counts and says words, in memory of its own; one is a resource's home; the third imports
;; what both export, and prints. Strings go from one memory to another, handles from one table to another.
(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $failed))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $failed (type $failed))
    (export "output-stream" (type $out (sub resource)))
    (type $cases (variant (case "last-operation-failed" (own $failed)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $cases)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $out))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $out (type $out))
    (export "get-stdout" (func (result (own $out))))))

  ;; upper: a string in capitals
  (component $upper
    (core module $m
      (memory (export "memory") 1)
      (global $top (mut i32) (i32.const 1024))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get 3))))
      (func (export "free") (param i32) (global.set $top (i32.const 1024)))
      (func (export "upper") (param $at i32) (param $len i32) (result i32) (local $i i32) (local $c i32)
        (i32.store (i32.const 16) (local.get $at))
        (i32.store (i32.const 20) (local.get $len))
        (block $done (loop $next
          (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
          (local.set $c (i32.load8_u (i32.add (local.get $at) (local.get $i))))
          (if (i32.lt_u (i32.sub (local.get $c) (i32.const 97)) (i32.const 26)) (then
            (i32.store8 (i32.add (local.get $at) (local.get $i)) (i32.sub (local.get $c) (i32.const 32)))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
        (i32.const 16)))
    (core instance $i (instantiate $m))
    (func $upper (param "text" string) (result string) (canon lift (core func $i "upper")
      (memory (core memory $i "memory")) (realloc (core func $i "realloc")) (post-return (core func $i "free"))))
    (instance $words (export "upper" (func $upper)))
    (export "test:own/words@1.0.0" (instance $words)))

  ;; counter: a resource with a method; what it counted to is told to whoever asks after it is gone
  (component $counter
    (core module $home
      (global $sum (mut i32) (i32.const 0))
      (func (export "gone") (param i32) (global.set $sum (i32.add (global.get $sum) (local.get 0))))
      (func (export "sum") (result i32) (global.get $sum)))
    (core instance $h (instantiate $home))
    (type $r (resource (rep i32) (dtor (core func $h "gone"))))
    (core func $new (canon resource.new $r))
    (core module $m
      (import "" "new" (func $new (param i32) (result i32)))
      (func (export "new") (param i32) (result i32) (call $new (local.get 0)))
      (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
    (func $make (param "first" u32) (result (own $r)) (canon lift (core func $i "new")))
    (func $add (param "self" (borrow $r)) (param "more" u32) (result u32) (canon lift (core func $i "add")))
    (func $sum (result u32) (canon lift (core func $h "sum")))
    (component $face
      (import "r" (type $r' (sub resource)))
      (import "make" (func $make (param "first" u32) (result (own $r'))))
      (import "add" (func $add (param "self" (borrow $r')) (param "more" u32) (result u32)))
      (import "sum" (func $sum (result u32)))
      (export $r "counter" (type $r'))
      (export "[constructor]counter" (func $make) (func (param "first" u32) (result (own $r))))
      (export "[method]counter.add" (func $add) (func (param "self" (borrow $r)) (param "more" u32) (result u32)))
      (export "sum" (func $sum)))
    (instance $made (instantiate $face
      (with "r" (type $r)) (with "make" (func $make)) (with "add" (func $add)) (with "sum" (func $sum))))
    (export "test:own/counters@1.0.0" (instance $made)))

  (component $program
    (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
    (alias export $error "error" (type $failed))
    (import "wasi:io/streams@0.2.0" (instance $streams
      (alias outer 1 $failed (type $failed))
      (export "output-stream" (type $out (sub resource)))
      (type $cases (variant (case "last-operation-failed" (own $failed)) (case "closed")))
      (export "stream-error" (type $stream-error (eq $cases)))
      (export "[method]output-stream.blocking-write-and-flush"
        (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
    (alias export $streams "output-stream" (type $out))
    (import "wasi:cli/stdout@0.2.0" (instance $stdout
      (alias outer 1 $out (type $out))
      (export "get-stdout" (func (result (own $out))))))
    (import "test:own/words@1.0.0" (instance $words
      (export "upper" (func (param "text" string) (result string)))))
    (import "test:own/counters@1.0.0" (instance $counters
      (export "counter" (type $r (sub resource)))
      (export "[constructor]counter" (func (param "first" u32) (result (own $r))))
      (export "[method]counter.add" (func (param "self" (borrow $r)) (param "more" u32) (result u32)))
      (export "sum" (func (result u32)))))
    (alias export $counters "counter" (type $r))
    (core module $mem
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 512)))
    (core instance $mem (instantiate $mem))
    (core func $get (canon lower (func $stdout "get-stdout")))
    (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
      (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))
    (core func $upper (canon lower (func $words "upper") (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))
    (core func $make (canon lower (func $counters "[constructor]counter")))
    (core func $add (canon lower (func $counters "[method]counter.add")))
    (core func $sum (canon lower (func $counters "sum")))
    (core func $drop (canon resource.drop $r))
    (core func $drop-out (canon resource.drop $out))
    (core module $m
      (import "mem" "memory" (memory 1))
      (import "" "get" (func $get (result i32)))
      (import "" "write" (func $write (param i32 i32 i32 i32)))
      (import "" "upper" (func $upper (param i32 i32 i32)))
      (import "" "make" (func $make (param i32) (result i32)))
      (import "" "add" (func $add (param i32 i32) (result i32)))
      (import "" "sum" (func $sum (result i32)))
      (import "" "drop" (func $drop (param i32)))
      (import "" "drop-out" (func $drop-out (param i32)))
      (data (i32.const 64) "words of another component\c3\a9\0a")
      (data (i32.const 128) "00 00 00\0a")
      (func $two (param $at i32) (param $n i32)
        (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.div_u (local.get $n) (i32.const 10))))
        (i32.store8 offset=1 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10)))))
      (func (export "run") (result i32) (local $out i32) (local $a i32) (local $b i32)
        (local.set $out (call $get))
        (call $upper (i32.const 64) (i32.const 29) (i32.const 16))
        (call $write (local.get $out) (i32.load (i32.const 16)) (i32.load (i32.const 20)) (i32.const 32))
        (local.set $a (call $make (i32.const 7)))
        (local.set $b (call $make (i32.const 30)))
        (call $two (i32.const 128) (call $add (local.get $a) (i32.const 5)))
        (call $two (i32.const 131) (call $add (local.get $b) (i32.const 12)))
        (call $drop (local.get $a))
        (call $drop (local.get $b))
        (call $two (i32.const 134) (call $sum))
        (call $write (local.get $out) (i32.const 128) (i32.const 9) (i32.const 32))
        (call $drop-out (local.get $out))
        (i32.load8_u (i32.const 32))))
    (core instance $i (instantiate $m (with "mem" (instance $mem)) (with "" (instance
      (export "get" (func $get)) (export "write" (func $write)) (export "upper" (func $upper))
      (export "make" (func $make)) (export "add" (func $add)) (export "sum" (func $sum))
      (export "drop" (func $drop)) (export "drop-out" (func $drop-out))))))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $face (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $face)))

  (instance $w (instantiate $upper))
  (instance $c (instantiate $counter))
  (alias export $w "test:own/words@1.0.0" (instance $words))
  (alias export $c "test:own/counters@1.0.0" (instance $counters))
  (instance $p (instantiate $program
    (with "wasi:io/error@0.2.0" (instance $error))
    (with "wasi:io/streams@0.2.0" (instance $streams))
    (with "wasi:cli/stdout@0.2.0" (instance $stdout))
    (with "test:own/words@1.0.0" (instance $words))
    (with "test:own/counters@1.0.0" (instance $counters))))
  (alias export $p "wasi:cli/run@0.2.0" (instance $run))
  (export "wasi:cli/run@0.2.0" (instance $run)))
