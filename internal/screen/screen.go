// Package screen redraws a few lines at the end of what a terminal shows, in place.
package screen

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// A Screen is a terminal with some lines at its end that change. It sets no mode of the terminal, so
// that nothing has to be put back when the program is ended in the middle.
type Screen struct {
	w    io.Writer
	size func() (width, height int)

	mu    sync.Mutex
	lines []string // that are drawn; the cursor stands behind the last
	width int      // of the terminal then
}

// New returns a screen on a terminal, of which size tells the cells in a row and the rows.
func New(w io.Writer, size func() (width, height int)) *Screen { return &Screen{w: w, size: size} }

// Size returns the cells in a row that lines may use, and how many lines there may be.
func (s *Screen) Size() (width, height int) {
	width, height = s.size()
	// A terminal is of two minds about a row that is full to its last cell.
	return max(1, width-1), max(1, height-1)
}

// Draw shows lines in place of those it showed before. What does not fit is left out: the first lines,
// where there are too many. Each line ends its own colours.
func (s *Screen) Draw(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draw(lines)
}

func (s *Screen) draw(lines []string) {
	width, height := s.Size()
	lines = slices.Clone(lines[max(0, len(lines)-height):])
	for i, line := range lines {
		if Width(line) > width {
			lines[i] = cut(line, width)
		}
	}
	s.write(s.home(width+1) + strings.Join(lines, toLineEnd+"\r\n") + toLineEnd + toScreenEnd)
	s.lines, s.width = lines, width+1
}

// Keep shows lines in the same way, and leaves them there: what is drawn next comes below.
func (s *Screen) Keep(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draw(lines)
	s.write("\r\n")
	s.lines = nil
}

// Above takes the lines away, and lets other text be written in their place. They come back below it when they are
// drawn again.
func (s *Screen) Above(write func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) > 0 {
		width, _ := s.size()
		s.write(s.home(width) + toScreenEnd)
		s.lines = nil
	}
	write()
}

// What a terminal obeys (ECMA-48 8.3.39 and 8.3.41).
const (
	toLineEnd   = "\x1b[K"
	toScreenEnd = "\x1b[J"
)

// home moves the cursor to where the lines begin. A terminal that became narrower has wrapped those
// that were longer.
func (s *Screen) home(width int) string {
	rows := 0
	for _, line := range s.lines {
		rows++
		if n := Width(line); width < s.width && n > 0 {
			rows += (n - 1) / max(1, width)
		}
	}
	if rows > 1 {
		return fmt.Sprintf("\r\x1b[%dA", rows-1)
	}
	return "\r"
}

// write sends all at once, so that no half of a frame is seen. A terminal that is gone is no reason to end
// what is shown on it.
func (s *Screen) write(text string) { _, _ = io.WriteString(s.w, text) }

// colors are what colours and other looks of text begin and end with (ECMA-48 8.3.117).
var colors = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Width returns how many cells a line takes. Of characters that take two it knows nothing.
func Width(line string) int { return utf8.RuneCountInString(colors.ReplaceAllString(line, "")) }

// cut shortens a line, which then has no colours.
func cut(line string, width int) string {
	return string([]rune(colors.ReplaceAllString(line, ""))[:width])
}
