// Package faketerm is a terminal for tests: it shows what was written to it.
package faketerm

import (
	"fmt"
	"strings"
)

// A Terminal obeys what package screen writes, and stops at anything else. It wraps lines
// again when it is resized, as most terminals do.
type Terminal struct {
	Width, Height int
	rows          [][]rune // also those that were scrolled off
	joined        []bool   // a row goes on the one above
	row, column   int      // of the cursor
	Err           error    // the first thing that it does not know
}

// New returns an empty terminal.
func New(width, height int) *Terminal {
	return &Terminal{Width: width, Height: height, rows: [][]rune{nil}, joined: []bool{false}}
}

// Size returns its width and height.
func (t *Terminal) Size() (width, height int) { return t.Width, t.Height }

// String returns all that is shown, and that was scrolled off, without spaces at the ends of lines.
func (t *Terminal) String() string {
	var b strings.Builder
	for _, row := range t.rows {
		b.WriteString(strings.TrimRight(string(row), " ") + "\n")
	}
	return b.String()
}

// Write implements io.Writer.
func (t *Terminal) Write(p []byte) (int, error) {
	for text := []rune(string(p)); len(text) > 0; {
		if text[0] != '\x1b' {
			t.put(text[0])
			text = text[1:]
			continue
		}
		n := 2
		for n < len(text) && (text[n] < '@' || text[n] > '~') {
			n++
		}
		if n >= len(text) || text[1] != '[' {
			t.fail("an escape sequence that does not end: %q", string(text))
			return len(p), nil
		}
		t.obey(text[n], string(text[2:n]))
		text = text[n+1:]
	}
	return len(p), nil
}

func (t *Terminal) fail(format string, args ...any) {
	if t.Err == nil {
		t.Err = fmt.Errorf(format, args...)
	}
}

func (t *Terminal) put(c rune) {
	switch {
	case c == '\r':
		t.column = 0
	case c == '\n': // the kernel makes a return of it, too
		t.column = 0
		t.down(false)
	case c < ' ':
		t.fail("the control character %q", c)
	default:
		if t.column >= t.Width {
			t.column = 0
			t.down(true)
		}
		row := t.rows[t.row]
		for len(row) <= t.column {
			row = append(row, ' ')
		}
		row[t.column] = c
		t.rows[t.row] = row
		t.column++
	}
}

func (t *Terminal) down(joined bool) {
	t.row++
	if t.row == len(t.rows) {
		t.rows, t.joined = append(t.rows, nil), append(t.joined, joined)
	}
}

func (t *Terminal) obey(final rune, parameters string) {
	switch final {
	case 'm':
	case 'A': // not beyond the first row that is shown
		n := 1
		if _, err := fmt.Sscan(parameters, &n); err != nil {
			t.fail("up by %q", parameters)
		}
		if top := max(0, len(t.rows)-t.Height); t.row-n < top {
			t.fail("up by %d from row %d of %d", n, t.row-top, t.Height)
		} else {
			t.row -= n
		}
	case 'K':
		t.rows[t.row] = t.rows[t.row][:min(len(t.rows[t.row]), t.column)]
		if t.row+1 < len(t.rows) {
			t.joined[t.row+1] = false
		}
	case 'J':
		t.rows[t.row] = t.rows[t.row][:min(len(t.rows[t.row]), t.column)]
		t.rows, t.joined = t.rows[:t.row+1], t.joined[:t.row+1]
	default:
		t.fail("the sequence %q%c", parameters, final)
	}
}

// Resize gives the terminal another width: rows that do not fit any more are wrapped, and the cursor stays
// behind the character that it was behind.
func (t *Terminal) Resize(width int) {
	old, joined, row, column := t.rows, t.joined, t.row, t.column
	t.rows, t.joined, t.Width = nil, nil, width
	for i := 0; i < len(old); {
		var line []rune
		cursor := -1
		for k := i; i < len(old) && (i == k || joined[i]); i++ {
			if i == row {
				cursor = len(line) + column
			}
			line = append(line, old[i]...)
		}
		first := len(t.rows)
		for begun := false; len(line) > 0 || !begun; begun = true {
			n := min(width, len(line))
			t.rows, t.joined = append(t.rows, append([]rune(nil), line[:n]...)), append(t.joined, begun)
			line = line[n:]
		}
		if cursor >= 0 {
			last := len(t.rows) - 1
			t.row = min(first+cursor/width, last)
			t.column = cursor - (t.row-first)*width
		}
	}
}
