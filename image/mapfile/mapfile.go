// Package mapfile reads and writes the map files of GNU ddrescue (its manual,
// section "Mapfile structure"): which parts of a copy are finished, bad, or
// not tried yet.
package mapfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Suffix is appended to the name of an image for the map that says which of its sectors
// are not right: the one that a rip or a conversion writes.
const Suffix = ".map"

// Title is the first comment of a map that spindle writes.
const Title = " Mapfile. Created by spindle. It has the format of GNU ddrescue's."

// Status is the state of a block, in the character that the file has for it.
type Status byte

// The states.
const (
	NonTried   Status = '?'
	NonTrimmed Status = '*' // a block that failed as a whole
	NonScraped Status = '/'
	Bad        Status = '-' // single sectors that could not be read
	Finished   Status = '+'
	// ReadWithErrors are bytes that were read with errors, and stand in the copy
	// as they came. It is spindle's own: in a file these are blocks of [Bad] that
	// a comment names, so that ddrescue understands the file.
	ReadWithErrors Status = '!'
)

// flawedComment begins a comment that names a run of bytes which were read with
// errors: position and size.
const flawedComment = " spindle-read-with-errors: "

// doubtComment announces the comment that says why a copy is in doubt.
const doubtComment = " The image was made from one that may be damaged:"

func (s Status) valid() bool { return strings.IndexByte("?*/-+", byte(s)) >= 0 }

// A Block is a run of bytes in one state.
type Block struct {
	Pos, Size int64
	Status    Status
}

// End returns the position after the block.
func (b Block) End() int64 { return b.Pos + b.Size }

// A Map is the state of all bytes of a copy, from 0 to its size. Neighbouring
// blocks have different states. The zero Map has size 0.
type Map struct {
	// Comments are the lines that start with #, without that sign; ddrescue
	// keeps none but its own.
	Comments []string
	// Doubt is why any byte of the copy may be wrong, also one that is finished: the one line that
	// says what may be wrong with that which it was made from. It is empty where nothing may. It is
	// spindle's own: in a file it is a comment, below another that announces it.
	Doubt string
	// Pos is where the program was working, and Pass in which pass.
	Pos    int64
	Phase  Status // '?' copying, '*' trimming, '/' scraping, '-' retrying, 'F' filling, 'G' generating, '+' finished
	Pass   int
	blocks []Block
}

// New returns a map of size bytes that have not been tried.
func New(size int64) *Map {
	m := &Map{Phase: NonTried, Pass: 1}
	if size > 0 {
		m.blocks = []Block{{0, size, NonTried}}
	}
	return m
}

// Size returns the number of bytes that the map covers.
func (m *Map) Size() int64 {
	if len(m.blocks) == 0 {
		return 0
	}
	return m.blocks[len(m.blocks)-1].End()
}

// Blocks returns the blocks in order. The slice is not to be modified, and valid
// until the next [Map.Set].
func (m *Map) Blocks() []Block { return m.blocks }

// Clone returns a copy.
func (m *Map) Clone() *Map {
	c := *m
	c.Comments, c.blocks = slices.Clone(m.Comments), slices.Clone(m.blocks)
	return &c
}

// find returns the index of the block that holds pos.
func (m *Map) find(pos int64) int {
	i, ok := slices.BinarySearchFunc(m.blocks, pos, func(b Block, pos int64) int {
		switch {
		case b.Pos < pos:
			return -1
		case b.Pos > pos:
			return 1
		}
		return 0
	})
	if !ok {
		i--
	}
	return i
}

// At returns the state of the byte at pos, which must lie inside the map.
func (m *Map) At(pos int64) Status { return m.blocks[m.find(pos)].Status }

// Set gives the bytes from pos to pos+size a state. What lies outside of the map
// is ignored.
func (m *Map) Set(pos, size int64, s Status) {
	end := min(pos+size, m.Size())
	pos = max(pos, 0)
	if pos >= end {
		return
	}
	i, j := m.find(pos), m.find(end-1)
	// The part of the first block before pos and of the last block after end
	// stay; whatever has state s at the borders grows into the new block.
	first, last := m.blocks[i], m.blocks[j]
	var repl [3]Block
	n := 0
	if first.Pos < pos {
		if first.Status == s {
			pos = first.Pos
		} else {
			repl[n] = Block{first.Pos, pos - first.Pos, first.Status}
			n++
		}
	} else if i > 0 && m.blocks[i-1].Status == s {
		i--
		pos = m.blocks[i].Pos
	}
	after := Block{end, last.End() - end, last.Status}
	switch {
	case after.Size > 0 && after.Status == s:
		end, after.Size = after.End(), 0
	case after.Size == 0 && j+1 < len(m.blocks) && m.blocks[j+1].Status == s:
		j++
		end = m.blocks[j].End()
	}
	repl[n] = Block{pos, end - pos, s}
	n++
	if after.Size > 0 {
		repl[n] = after
		n++
	}
	m.blocks = slices.Replace(m.blocks, i, j+1, repl[:n]...)
}

// Replace gives all bytes of one state another one.
func (m *Map) Replace(old, with Status) {
	blocks := m.blocks[:0]
	for _, b := range m.blocks {
		if b.Status == old {
			b.Status = with
		}
		if k := len(blocks) - 1; k >= 0 && blocks[k].Status == b.Status {
			blocks[k].Size += b.Size
			continue
		}
		blocks = append(blocks, b)
	}
	m.blocks = blocks
}

// Count returns the number of bytes in a state.
func (m *Map) Count(s Status) int64 {
	var n int64
	for _, b := range m.blocks {
		if b.Status == s {
			n += b.Size
		}
	}
	return n
}

// Next returns the first block at or after pos that is in one of the states, cut
// to begin at pos or later, and false when there is none.
func (m *Map) Next(pos int64, states ...Status) (Block, bool) {
	if pos >= m.Size() {
		return Block{}, false
	}
	for _, b := range m.blocks[max(0, m.find(pos)):] {
		if slices.Contains(states, b.Status) {
			if b.Pos < pos {
				b.Pos, b.Size = pos, b.End()-pos
			}
			return b, true
		}
	}
	return Block{}, false
}

// WriteTo writes the map as ddrescue does.
func (m *Map) WriteTo(w io.Writer) (int64, error) {
	blocks := m.Clone()
	blocks.Replace(ReadWithErrors, Bad)
	b := bufio.NewWriter(w)
	var n int64
	put := func(format string, args ...any) {
		k, _ := fmt.Fprintf(b, format, args...)
		n += int64(k)
	}
	for _, c := range m.Comments {
		put("#%s\n", c)
	}
	if m.Doubt != "" {
		put("#%s\n# %s\n", doubtComment, m.Doubt)
	}
	for _, x := range m.blocks {
		if x.Status == ReadWithErrors {
			put("#%s0x%08X  0x%08X\n", flawedComment, x.Pos, x.Size)
		}
	}
	put("# current_pos  current_status  current_pass\n")
	put("0x%08X     %c               %d\n", m.Pos, m.Phase, max(1, m.Pass))
	put("#      pos        size  status\n")
	for _, x := range blocks.blocks {
		put("0x%08X  0x%08X  %c\n", x.Pos, x.Size, x.Status)
	}
	return n, b.Flush()
}

// ErrSyntax is what every error about the content of a map file wraps.
var ErrSyntax = errors.New("malformed map file")

// Limits on what is read: bytes of a line, blocks, comments that are kept and their bytes.
const (
	maxLine         = 1 << 20
	maxBlocks       = 1 << 22
	maxComments     = 1 << 10
	maxCommentBytes = 2 * maxLine
)

// Read reads a map file. The blocks must follow each other without gaps from
// position 0. A file that says that its copy is in doubt, and no more, is a map without blocks.
func Read(r io.Reader) (*Map, error) {
	p := parser{m: new(Map)}
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, maxLine)
	for scan.Scan() {
		p.line++
		if err := p.parse(scan.Text()); err != nil {
			return nil, p.fail(err)
		}
	}
	if err := scan.Err(); err != nil {
		return nil, p.fail(err)
	}
	if !p.status && p.m.Doubt == "" {
		return nil, p.fail(errors.New("no status line"))
	}
	for _, x := range p.flawed {
		if err := p.m.setFlawed(x.Block); err != nil {
			p.line = x.line
			return nil, p.fail(err)
		}
	}
	return p.m, nil
}

// A parser makes a map of the lines of its file.
type parser struct {
	m      *Map
	line   int
	status bool // the status line has come
	doubt  bool // the next comment says why the copy is in doubt
	kept   int  // bytes of comments
	flawed []flawedRun
}

func (p *parser) fail(err error) error {
	return fmt.Errorf("%w: line %d: %v", ErrSyntax, p.line, err)
}

// parse takes one line.
func (p *parser) parse(text string) error {
	if c, ok := strings.CutPrefix(text, "#"); ok {
		return p.comment(c)
	}
	words := strings.Fields(text)
	switch {
	case len(words) == 0:
		return nil
	case !p.status:
		p.status = true
		return p.m.setStatus(words)
	}
	return p.m.append(words)
}

// comment keeps a comment, or what it says of bytes that were read with errors.
func (p *parser) comment(c string) error {
	if text, ok := strings.CutPrefix(c, flawedComment); ok {
		x, err := parseRun(text)
		if err != nil {
			return err
		}
		if p.flawed = append(p.flawed, flawedRun{x, p.line}); len(p.flawed) > maxBlocks {
			return errBlocks
		}
		return nil
	}
	if strings.HasPrefix(c, " current_pos") || strings.HasPrefix(c, "      pos") {
		return nil
	}
	if why := strings.TrimSpace(c); p.doubt && why != "" {
		p.m.Doubt, p.doubt = why, false
		return nil
	}
	if c == doubtComment {
		p.m.Doubt, p.doubt = "it does not say why", true
		return nil
	}
	p.m.Comments = append(p.m.Comments, c)
	if p.kept += len(c); p.kept > maxCommentBytes || len(p.m.Comments) > maxComments {
		return errors.New("too many comments")
	}
	return nil
}

// What is wrong with a line.
var (
	errStatus = errors.New("not a status line")
	errBlock  = errors.New("not a block")
	errBlocks = errors.New("too many blocks")
)

// setStatus reads the status line: the position in the copy, the phase, and since 1.23
// the pass.
func (m *Map) setStatus(words []string) error {
	if len(words) != 2 && len(words) != 3 {
		return errStatus
	}
	pos, err := strconv.ParseInt(words[0], 0, 64)
	if err != nil || pos < 0 || len(words[1]) != 1 || strings.IndexByte("?*/-+FG", words[1][0]) < 0 {
		return errStatus
	}
	m.Pos, m.Phase, m.Pass = pos, Status(words[1][0]), 1
	if len(words) == 3 {
		if m.Pass, err = strconv.Atoi(words[2]); err != nil || m.Pass < 1 {
			return errors.New("the pass is not a number from 1 up")
		}
	}
	return nil
}

// append reads the line of a block, which is behind all others.
func (m *Map) append(words []string) error {
	if len(words) != 3 || len(words[2]) != 1 || !Status(words[2][0]).valid() {
		return errBlock
	}
	pos, size, ok := parseExtent(words)
	switch {
	case !ok:
		return errBlock
	case pos != m.Size():
		return fmt.Errorf("block at %d, but the one before ends at %d", pos, m.Size())
	case len(m.blocks) >= maxBlocks:
		return errBlocks
	}
	s := Status(words[2][0])
	if k := len(m.blocks); k > 0 && m.blocks[k-1].Status == s {
		m.blocks[k-1].Size += size
		return nil
	}
	m.blocks = append(m.blocks, Block{pos, size, s})
	return nil
}

// parseExtent reads a position and a size.
func parseExtent(words []string) (pos, size int64, ok bool) {
	pos, err1 := strconv.ParseInt(words[0], 0, 64)
	size, err2 := strconv.ParseInt(words[1], 0, 64)
	return pos, size, err1 == nil && err2 == nil && size > 0 && pos+size >= pos
}

// A flawedRun is what one comment names, and where in the file that stands.
type flawedRun struct {
	Block
	line int
}

// parseRun reads the position and the size of a run of bytes.
func parseRun(text string) (Block, error) {
	words := strings.Fields(text)
	if len(words) == 2 {
		if pos, size, ok := parseExtent(words); ok && pos >= 0 {
			return Block{pos, size, ReadWithErrors}, nil
		}
	}
	return Block{}, fmt.Errorf("%q is not a run of bytes", text)
}

// setFlawed marks bytes as read with errors. Only bad ones can have been.
func (m *Map) setFlawed(x Block) error {
	if x.End() > m.Size() {
		return fmt.Errorf("the bytes at %d are outside the map", x.Pos)
	}
	if b, ok := m.Next(x.Pos, Bad); !ok || b.Pos != x.Pos || b.End() < x.End() {
		return fmt.Errorf("the bytes at %d are listed as read with errors, but not as bad", x.Pos)
	}
	m.Set(x.Pos, x.Size, ReadWithErrors)
	return nil
}

// mapLine is a line that maps have: of their title, of the columns, of the command line, the
// status, or a block.
var mapLine = regexp.MustCompile(`(?m)^(# Mapfile\.|# Rescue Logfile\.|# Command line: ddrescue|#` + doubtComment + `|# current_pos|#      pos` +
	`|(0x[0-9A-Fa-f]+|[0-9]+)[ \t]+([-?*/+FG]([ \t]+[0-9]+)?|(0x[0-9A-Fa-f]+|[0-9]+)[ \t]+[-?*/+])[ \t\r]*$)`)

// Resembles reports whether the beginning of a file has a line that only maps have.
func Resembles(head []byte) bool { return mapLine.Match(head) }
