package main

import (
	"fmt"
	"strings"
)

// Payload is the object of ../payloads.ts.
type Payload struct {
	ID    int
	Name  string
	Email string
	Score float64
	Tags  []string
}

// List is the list of 50 such objects.
type List struct{ Items []Payload }

func createPayload(id int) Payload {
	return Payload{id, "Ada Lovelace", "ada@example.org", 97.25, []string{"math", "poetry"}}
}

// Texts of the objects of distinct lists, as in ../distinct-payload.ts.
var variants = makeVariants(500)

func makeVariants(count int) []Payload {
	made := make([]Payload, count)
	for i := range made {
		letters := createLetters(uint32(i + 1))
		name := letters(3) + " " + letters(8)
		email := letters(7) + "@" + letters(3) + ".org"
		made[i] = Payload{0, name, email, float64(10+i%80) + 0.25, []string{letters(4), letters(6)}}
	}
	return made
}

// createLetters gives the next letters of a row that the seed decides.
func createLetters(seed uint32) func(count int) string {
	state := seed * 0x9e3779b1
	return func(count int) string {
		text := make([]byte, count)
		for i := range text {
			state = state*1664525 + 1013904223
			text[i] = byte('a' + (state>>16)%26)
		}
		return string(text)
	}
}

func createDistinctPayload(id int) Payload {
	made := variants[id%len(variants)]
	made.ID = id
	made.Tags = append([]string(nil), made.Tags...)
	return made
}

func (sent *Payload) isEcho(answer *Payload) bool {
	if answer.ID != sent.ID || answer.Name != sent.Name || answer.Email != sent.Email ||
		answer.Score != sent.Score || len(answer.Tags) != len(sent.Tags) {
		return false
	}
	for i, tag := range sent.Tags {
		if answer.Tags[i] != tag {
			return false
		}
	}
	return true
}

// textOf makes the long name of the larger payloads: as JSON they have `bytes` bytes.
func textOf(bytes int) string {
	small := `{"id":1000000,"name":"","email":"ada@example.org","score":97.25,"tags":["math","poetry"]}`
	sentence := "The engine might act upon other things besides number. "
	return strings.Repeat(sentence, bytes/len(sentence)+1)[:bytes-len(small)]
}

// callerOf gives the function that makes one call of a payload and checks its answer.
func callerOf(payload string) (func(c caller, id int) error, error) {
	name := "Ada Lovelace"
	switch payload {
	case "1KiB":
		name = textOf(1024)
	case "16KiB":
		name = textOf(16 * 1024)
	case "list50":
		return callList(createPayload), nil
	case "list50distinct":
		return callList(createDistinctPayload), nil
	case "100B":
	default:
		return nil, fmt.Errorf("no payload '%s'", payload)
	}
	return func(c caller, id int) error {
		sent := createPayload(id)
		sent.Name = name
		var answer Payload
		if err := c.Call("Echo.Echo", &sent, &answer); err != nil {
			return err
		}
		if !sent.isEcho(&answer) {
			return fmt.Errorf("wrong answer: %v", answer.ID)
		}
		return nil
	}, nil
}

func callList(create func(id int) Payload) func(c caller, id int) error {
	return func(c caller, id int) error {
		sent := List{make([]Payload, 50)}
		for i := range sent.Items {
			sent.Items[i] = create(id*50 + i)
		}
		var answer List
		if err := c.Call("Echo.EchoList", &sent, &answer); err != nil {
			return err
		}
		if len(answer.Items) != len(sent.Items) {
			return fmt.Errorf("wrong answer: %d items", len(answer.Items))
		}
		for i := range sent.Items {
			if !sent.Items[i].isEcho(&answer.Items[i]) {
				return fmt.Errorf("wrong answer: item %d", i)
			}
		}
		return nil
	}
}
