package screen

import (
	"fmt"
	"strings"
	"testing"

	"spindle/internal/screen/faketerm"
)

// Frames of any height replace each other, between text that stays.
func TestFramesReplaceEachOther(t *testing.T) {
	term := faketerm.New(20, 6)
	s := New(term, term.Size)
	fmt.Fprint(term, "before\r\n")
	s.Draw([]string{"one", "two", "\x1b[31mthree\x1b[0m"})
	s.Draw([]string{"four", "five"})
	check(t, term, "before\nfour\nfive\n")
	note := func(text string) { s.Above(func() { fmt.Fprint(term, text+"\r\n") }) }
	note("a note")
	s.Draw([]string{"six", "a line that is longer than the terminal", "seven"})
	check(t, term, "before\na note\nsix\na line that is long\nseven\n")
	s.Keep([]string{"done"})
	note("another") // nothing is there to take away
	s.Draw([]string{"next"})
	check(t, term, "before\na note\ndone\nanother\nnext\n")
}

// A frame that is too high for the terminal loses its first lines.
func TestTooHigh(t *testing.T) {
	term := faketerm.New(20, 4)
	s := New(term, term.Size)
	for i := range 3 {
		s.Draw([]string{"a", "b", "c", "d", fmt.Sprint(i)})
	}
	check(t, term, "c\nd\n2\n")
}

// A terminal that is made narrower and wider again has one frame, and the text before it.
func TestResize(t *testing.T) {
	term := faketerm.New(30, 20)
	s := New(term, term.Size)
	fmt.Fprint(term, "before\r\n")
	for _, width := range []int{30, 12, 7, 25, 24, 60, 59, 10, 40} {
		term.Resize(width)
		w, _ := s.Size()
		s.Draw([]string{strings.Repeat("=", w), "middle", strings.Repeat("#", w)})
	}
	check(t, term, "before\n"+strings.Repeat("=", 39)+"\nmiddle\n"+strings.Repeat("#", 39)+"\n")
}

func check(t *testing.T, term *faketerm.Terminal, want string) {
	t.Helper()
	if got := term.String(); got != want || term.Err != nil {
		t.Errorf("got\n%swant\n%s%v", got, want, term.Err)
	}
}
