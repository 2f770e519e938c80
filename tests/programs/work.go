// work - what a Go program does all day: files, goroutines, timers, and a TCP echo server on a listener that the
// host opened. The first argument chooses; every line of output is the same in every run.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "work:", err)
		os.Exit(1)
	}
}

func files(dir string) {
	deep := filepath.Join(dir, "a", "b", "c")
	must(os.MkdirAll(deep, 0o755))
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = byte(i * 7)
	}
	name := filepath.Join(deep, "block.bin")
	must(os.WriteFile(name, block, 0o644))
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	must(err)
	_, err = file.WriteString("tail")
	must(err)
	must(file.Close())
	must(os.Rename(name, filepath.Join(dir, "moved.bin")))
	file, err = os.Open(filepath.Join(dir, "moved.bin"))
	must(err)
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	must(err)
	fmt.Printf("moved.bin %d %x\n", size, sum.Sum(nil))
	part := make([]byte, 4)
	_, err = file.ReadAt(part, 1<<20)
	must(err)
	must(file.Close())
	fmt.Printf("tail %s\n", part)
	for i := 0; i < 200; i++ {
		must(os.WriteFile(filepath.Join(deep, fmt.Sprintf("%03d.txt", i)), []byte(strconv.Itoa(i)), 0o600))
	}
	entries, err := os.ReadDir(deep)
	must(err)
	fmt.Printf("entries %d %s %s\n", len(entries), entries[0].Name(), entries[199].Name())
	total := 0
	must(filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		total++
		return err
	}))
	fmt.Printf("walked %d\n", total)
	_, err = os.Stat(filepath.Join(dir, "nothing"))
	fmt.Printf("missing %t\n", os.IsNotExist(err))
	_, err = os.ReadFile("/etc/passwd")
	fmt.Printf("outside %t\n", err != nil)
	must(os.RemoveAll(filepath.Join(dir, "a")))
	entries, err = os.ReadDir(dir)
	must(err)
	fmt.Printf("left %d %s\n", len(entries), entries[0].Name())
}

func timers() {
	start := time.Now()
	var workers sync.WaitGroup
	sums := make(chan int, 50)
	for w := 0; w < 50; w++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			time.Sleep(time.Duration(w%10) * time.Millisecond)
			sum := 0
			for i := w; i < 10000; i += 50 {
				sum += i
			}
			sums <- sum
		}()
	}
	workers.Wait()
	close(sums)
	total := 0
	for sum := range sums {
		total += sum
	}
	fmt.Printf("goroutines %d\n", total)
	ticker := time.NewTicker(10 * time.Millisecond)
	for tick := 1; tick <= 5; tick++ {
		<-ticker.C
		fmt.Printf("tick %d\n", tick)
	}
	ticker.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	select {
	case <-ctx.Done():
		fmt.Println("deadline", ctx.Err())
	case <-time.After(10 * time.Second):
		fmt.Println("the deadline never came")
	}
	took := time.Since(start)
	fmt.Printf("long enough %t, soon enough %t\n", took >= 79*time.Millisecond, took < 5*time.Second)
	fmt.Printf("year %t\n", time.Now().Year() >= 2024)
}

// The listener is the first descriptor from 3 on that is one.
func listener() net.Listener {
	for fd := 3; fd < 32; fd++ {
		if syscall.SetNonblock(fd, true) != nil {
			continue
		}
		file := os.NewFile(uintptr(fd), "listener")
		if found, err := net.FileListener(file); err == nil {
			return found
		}
	}
	fmt.Fprintln(os.Stderr, "work: no listener among the preopens")
	os.Exit(2)
	return nil
}

// serve answers `count` connections, all at once, line by line: "name: line".
func serve(count int) {
	server := listener()
	fmt.Println("listening")
	var open sync.WaitGroup
	var lock sync.Mutex
	lines := 0
	for i := 0; i < count; i++ {
		conn, err := server.Accept()
		must(err)
		open.Add(1)
		go func() {
			defer open.Done()
			defer conn.Close()
			input := bufio.NewReader(conn)
			for {
				line, err := input.ReadString('\n')
				if err == io.EOF {
					return
				}
				must(err)
				lock.Lock()
				lines++
				lock.Unlock()
				_, err = io.WriteString(conn, "echo: "+line)
				must(err)
			}
		}()
	}
	open.Wait()
	fmt.Printf("served %d connections, %d lines\n", count, lines)
}

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "files":
		files(os.Args[2])
	case len(os.Args) == 2 && os.Args[1] == "timers":
		timers()
	case len(os.Args) == 3 && os.Args[1] == "serve":
		count, err := strconv.Atoi(os.Args[2])
		must(err)
		serve(count)
	default:
		fmt.Fprintln(os.Stderr, "usage: work files DIR | timers | serve COUNT")
		os.Exit(2)
	}
}
