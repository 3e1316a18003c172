package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"

	"spindle/disc/digest"
	"spindle/internal/printable"
	"spindle/internal/screen"

	"github.com/fatih/color"
	"github.com/mattn/go-colorable"
	"golang.org/x/term"
)

// console is where a command's words go: results to standard output, as text or as
// JSON; progress, notes and errors to standard error.
type console struct {
	stdout *output
	stderr io.Writer
	screen *screen.Screen // where progress is drawn; nil: there is no terminal

	json  bool
	quiet bool
	color colorMode
}

func (c *console) init(stdout, stderr io.Writer) {
	*c = console{stdout: &output{w: stdout}, stderr: stderr, color: "auto"}
	if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		c.screen = screen.New(colorable.NewColorable(f), func() (width, height int) { return terminalSize(f) })
	}
}

// terminalSize returns the cells in a row of a terminal, and its rows.
func terminalSize(f *os.File) (width, height int) {
	const defaultHeight = 24
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return defaultWidth, defaultHeight
	}
	return width, height
}

// above writes text above what is drawn on the terminal.
func (c *console) above(write func()) {
	if c.screen == nil {
		write()
		return
	}
	c.screen.Above(write)
}

// output is a writer that remembers its first error.
type output struct {
	w   io.Writer
	mu  sync.Mutex
	err error
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(p)
	o.err = err
	return n, err
}

// lost returns the error that ended the output, if one did.
func (o *output) lost() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// flush returns the exit status of a command that ended with status: a failure
// when what it had to say could not be written.
func (c *console) flush(status int) int {
	err := c.stdout.lost()
	if err == nil {
		return status
	}
	if !errors.Is(err, syscall.EPIPE) { // whoever closes a pipe has read enough
		m := message{status: exitFailed, what: "standard output could not be written: " + plainError(err),
			next: "The command itself ran to its end; only its output is incomplete."}
		if status != exitDone {
			m.next = "The command itself had failed already."
		}
		c.words(m)
	}
	if status == exitDone {
		return exitFailed
	}
	return status
}

// An event is something that a command has to say on standard output. Its JSON form
// is the object that --json prints; Text writes the lines for a person.
type event interface{ Text(p *page) }

// A result is the last event of a command.
type result interface {
	event
	end() *ending
}

// An ending is what all results begin with. That of a failure has an
// error, which goes to standard error.
type ending struct {
	Event  string `json:"event"` // result
	Status int    `json:"status"`
	Error  string `json:"error,omitempty"`
	Advice string `json:"advice,omitempty"`
	Sense  string `json:"sense,omitempty"` // what the drive said
}

func (e *ending) end() *ending { return e }

// Text implements event: there is nothing to add.
func (e *ending) Text(*page) {}

// done begins a result.
func done() ending { return ending{Event: "result", Status: exitDone} }

// failed begins the result of a failure.
func failed(m message) ending {
	return ending{Event: "result", Status: m.status, Error: inWords(m.what), Advice: m.next, Sense: m.sense}
}

// show prints an event, as text or as JSON.
func (c *console) show(e event) {
	if c.json {
		c.emit(e)
		return
	}
	c.above(func() { e.Text(c.page(c.stdout)) })
	if r, ok := e.(result); ok && r.end().Error != "" {
		o := r.end()
		c.words(message{status: o.Status, what: o.Error, next: o.Advice, sense: o.Sense})
	}
}

// emit writes one JSON object, if JSON is wanted.
func (c *console) emit(v any) {
	if !c.json {
		return
	}
	b, err := json.Marshal(v)
	if err != nil { // all that is emitted consists of plain values
		panic(err)
	}
	fmt.Fprintln(c.stdout, string(printable.JSON(b)))
}

// noteEvent is something the user should know.
type noteEvent struct {
	Event string `json:"event"` // note
	Text  string `json:"text"`
}

// note shows the user something worth knowing.
func (c *console) note(text string) {
	text = inWords(text)
	if c.json {
		c.emit(noteEvent{"note", text})
		return
	}
	p := c.page(c.stderr)
	c.above(func() { p.hang(string(p.yellow("note:"))+" ", "      ", capital(sentence(printable.Text(text)))) })
}

// say writes a line to standard error about what is going on, unless JSON or quiet
// is wanted.
func (c *console) say(format string, args ...any) {
	if !c.quiet && !c.json {
		c.above(func() { c.page(c.stderr).line(format, args...) })
	}
}

// fail reports an error that ends the command.
func (c *console) fail(m message) {
	if c.json {
		e := failed(m)
		c.emit(&e)
		return
	}
	c.words(m)
}

// words prints an error: what happened, in what state things are, what to do next,
// and at the end what the drive said.
func (c *console) words(m message) {
	const indent = "         "
	p := c.page(c.stderr)
	c.above(func() {
		p.hang(string(p.red("spindle:"))+" ", indent, sentence(printable.Text(inWords(m.what))))
		if m.next != "" {
			p.hang(indent, indent, printable.Text(m.next))
		}
		if m.sense != "" {
			p.hang(indent, indent, "("+printable.Text(m.sense)+")")
		}
	})
}

// page returns a page to write text on.
func (c *console) page(w io.Writer) *page {
	p := &page{w: w}
	target := w
	if o, ok := w.(*output); ok {
		target = o.w
	}
	if f, ok := target.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.terminal = true
		p.width, _ = terminalSize(f)
	} else if w == c.stderr && c.screen != nil {
		p.terminal = true
		p.width, _ = c.screen.Size()
	}
	switch c.color {
	case "always":
		p.colors = true
	case "auto":
		p.colors = p.terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	return p
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// A page is where text for a person is written: it knows the width and the colours
// of what is behind it. Text is wrapped on a terminal only: in a log or a pipe, each
// message stays one line.
type page struct {
	w        io.Writer
	width    int // 0: text is not wrapped
	terminal bool
	colors   bool
}

// line writes a line of output. It is never broken: programs read it.
func (p *page) line(format string, args ...any) {
	makeHarmless(args)
	fmt.Fprintf(p.w, format+"\n", args...)
}

// text writes a sentence for a person, wrapped between words.
func (p *page) text(format string, args ...any) {
	makeHarmless(args)
	p.hang("", "", fmt.Sprintf(format, args...))
}

// hang writes text after first, its further lines after rest, wrapped between words.
func (p *page) hang(first, rest, text string) {
	lead := first
	for line := range strings.SplitSeq(text, "\n") {
		pieces := []string{line}
		if p.width > 0 {
			pieces = wrap(line, p.width-len(rest))
		}
		for _, piece := range pieces {
			fmt.Fprintln(p.w, lead+piece)
			lead = rest
		}
	}
}

// painted is text with colours in it, which [makeHarmless] leaves as it is.
type painted string

func (p *page) paint(c color.Attribute, s string, more ...color.Attribute) painted {
	s = printable.Line(s)
	if !p.colors {
		return painted(s)
	}
	x := color.New(append(more, c)...)
	x.EnableColor()
	return painted(x.Sprint(s))
}

func (p *page) red(s string) painted    { return p.paint(color.FgRed, s, color.Bold) }
func (p *page) yellow(s string) painted { return p.paint(color.FgYellow, s) }
func (p *page) green(s string) painted  { return p.paint(color.FgGreen, s) }
func (p *page) cyan(s string) painted   { return p.paint(color.FgCyan, s, color.Bold) }

// makeHarmless makes arguments of a format harmless on a terminal: a string or an error
// may have come from a disc, a drive or a file.
func makeHarmless(args []any) {
	for i, arg := range args {
		switch v := arg.(type) {
		case string:
			args[i] = printable.Text(v)
		case error:
			args[i] = printable.Text(v.Error())
		}
	}
}

// colorMode is the value of --color.
type colorMode string

func (m *colorMode) String() string { return string(*m) }
func (m *colorMode) Type() string   { return "WHEN" }
func (m *colorMode) Set(s string) error {
	return oneOf(s, colorModes, func() { *m = colorMode(s) })
}

var colorModes = []string{"auto", "always", "never"}

// sums writes the hashes of an image.
func (p *page) sums(s digest.Sums) {
	p.line("MD5     %s", s.MD5)
	p.line("SHA-1   %s", s.SHA1)
	p.line("SHA-256 %s", s.SHA256)
	p.line("CRC-32  %s", s.CRC32)
}
