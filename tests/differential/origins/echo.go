// An origin on net/http that tells what it was sent: a line of JSON per request on its output. With the argument "read" it reads
// responses instead: lines of JSON on its input, each a method and what a server sent, and what net/http makes of it on its output.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

type view struct {
	Peer   string `json:"peer"`
	Method string `json:"method"`
	Target string `json:"target"`
	Host   string `json:"host"`
	Body   string `json:"body"`
}

type answer struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
}

func serve(port string) {
	var lock sync.Mutex
	out := json.NewEncoder(os.Stdout)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		peer, _, _ := net.SplitHostPort(r.RemoteAddr)
		lock.Lock()
		out.Encode(view{peer, r.Method, r.RequestURI, r.Host, base64.StdEncoding.EncodeToString(body)})
		lock.Unlock()
		sum := sha1.Sum(body)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.RequestURI, hex.EncodeToString(sum[:]))
	})
	server := &http.Server{Addr: "127.0.0.1:" + port, Handler: handler, IdleTimeout: time.Minute}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
}

func read() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var question struct {
			Methods []string `json:"methods"`
			Octets  string   `json:"octets"`
		}
		json.Unmarshal(line, &question)
		octets, _ := base64.StdEncoding.DecodeString(question.Octets)
		from := bufio.NewReader(bytes.NewReader(octets))
		answers := []answer{}
		for len(answers) < len(question.Methods) {
			response, err := http.ReadResponse(from, &http.Request{Method: question.Methods[len(answers)]})
			if err != nil {
				break
			}
			body, err := io.ReadAll(response.Body)
			if err != nil {
				break
			}
			if response.StatusCode < 200 && response.StatusCode != 101 {
				continue
			}
			answers = append(answers, answer{response.StatusCode, base64.StdEncoding.EncodeToString(body)})
			if response.Close {
				break
			}
		}
		out.Encode(answers)
	}
}

func main() {
	if os.Args[1] == "read" {
		read()
	} else {
		serve(os.Args[1])
	}
}
