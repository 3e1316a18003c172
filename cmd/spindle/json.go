package main

import (
	"encoding/json"
	"fmt"
)

// emit writes one JSON object, if JSON is wanted.
func (a *app) emit(v any) {
	if !a.json {
		return
	}
	b, err := json.Marshal(v)
	if err != nil { // all that is emitted consists of plain values
		panic(err)
	}
	fmt.Fprintln(a.stdout, string(b))
}

// noteEvent is something the user should know.
type noteEvent struct {
	Event string `json:"event"` // note
	Text  string `json:"text"`
}

// errorEvent is the result of a command that failed.
type errorEvent struct {
	Event  string `json:"event"` // result
	Status int    `json:"status"`
	Error  string `json:"error"`
	Advice string `json:"advice,omitempty"`
	Sense  string `json:"sense,omitempty"`
}

// resultEvent ends the JSON of a command that has no more to say.
type resultEvent struct {
	Event  string `json:"event"` // result
	Status int    `json:"status"`
}
