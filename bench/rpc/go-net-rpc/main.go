// The echo of ../subject.ts by Go's net/rpc with gob, and the closed loop of ../measure.ts.
//
//	go-net-rpc server <port>                 prints "listening" and serves until stdin ends
//	go-net-rpc client <port> <connections>   prints "connected"; for each line of JSON on stdin
//	                                         {"payload","concurrency","seconds"} one line of figures
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Echo answers each call with what it got.
type Echo struct{}

func (*Echo) Echo(in *Payload, out *Payload) error { *out = *in; return nil }

func (*Echo) EchoList(in *List, out *List) error { *out = *in; return nil }

type caller interface {
	Call(method string, in any, out any) error
}

type load struct {
	Payload     string  `json:"payload"`
	Concurrency int     `json:"concurrency"`
	Seconds     float64 `json:"seconds"`
}

type figures struct {
	CallsPerSecond int    `json:"callsPerSecond"`
	P50us          int    `json:"p50us"`
	P99us          int    `json:"p99us"`
	Error          string `json:"error,omitempty"`
}

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: go-net-rpc server <port> | client <port> <connections>"))
	}
	address := "127.0.0.1:" + os.Args[2]
	if os.Args[1] == "server" {
		serve(address)
	} else {
		call(address)
	}
}

func serve(address string) {
	if err := rpc.Register(new(Echo)); err != nil {
		fail(err)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fail(err)
	}
	go rpc.Accept(listener)
	fmt.Println("listening")
	io.Copy(io.Discard, os.Stdin)
}

func call(address string) {
	connections, err := strconv.Atoi(os.Args[3])
	if err != nil {
		fail(err)
	}
	clients := make([]*rpc.Client, connections)
	for i := range clients {
		if clients[i], err = rpc.Dial("tcp", address); err != nil {
			fail(err)
		}
		if first, _ := callerOf("100B"); first(clients[i], i) != nil {
			fail(fmt.Errorf("the first call failed"))
		}
	}
	fmt.Println("connected")
	loads := bufio.NewScanner(os.Stdin)
	for loads.Scan() {
		var asked load
		if err := json.Unmarshal(loads.Bytes(), &asked); err != nil {
			fail(err)
		}
		answer, _ := json.Marshal(measure(clients, asked))
		fmt.Println(string(answer))
	}
}

const maxUs = 1_000_000

// measure keeps so many calls in flight, each in its own goroutine, as a user of net/rpc would.
func measure(clients []*rpc.Client, asked load) figures {
	one, err := callerOf(asked.Payload)
	if err != nil {
		return figures{Error: err.Error()}
	}
	counts := make([]uint32, maxUs+1)
	var lastID, total int64
	var firstError atomic.Value
	var running sync.WaitGroup
	start := time.Now()
	end := start.Add(time.Duration(asked.Seconds * float64(time.Second)))
	for n := 0; n < asked.Concurrency; n++ {
		running.Add(1)
		go func(client *rpc.Client) {
			defer running.Done()
			for begin := time.Now(); begin.Before(end); {
				if err := one(client, int(atomic.AddInt64(&lastID, 1))); err != nil {
					firstError.CompareAndSwap(nil, err.Error())
					return
				}
				now := time.Now()
				us := int(now.Sub(begin).Microseconds())
				if us > maxUs {
					us = maxUs
				}
				atomic.AddUint32(&counts[us], 1)
				atomic.AddInt64(&total, 1)
				begin = now
			}
		}(clients[n%len(clients)])
	}
	running.Wait()
	elapsed := time.Since(start).Seconds()
	result := figures{CallsPerSecond: int(float64(total) / elapsed)}
	result.P50us, result.P99us = quantile(counts, total, 0.5), quantile(counts, total, 0.99)
	if message, failed := firstError.Load().(string); failed {
		result.Error = message
	}
	return result
}

func quantile(counts []uint32, total int64, part float64) int {
	var seen int64
	for us, count := range counts {
		seen += int64(count)
		if float64(seen) >= part*float64(total) {
			return us
		}
	}
	return maxUs
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "go-net-rpc:", err)
	os.Exit(1)
}
