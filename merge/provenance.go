package merge

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"spindle/disc"
)

// Suffix is appended to the name of an image for the file that says where its sectors come
// from.
const Suffix = ".merge"

// ErrProvenance is what every error about the content of such a file wraps.
var ErrProvenance = errors.New("malformed provenance of a merged image")

// A Copy is an image from which a merged one was made.
type Copy struct {
	Name string `json:"name"`
	// Shift is by how many samples its audio came later than that of the merged image.
	Shift int `json:"shift,omitempty"`
}

// A Run is where some sectors come from, and why they are taken for right, or that they are
// not.
type Run struct {
	First disc.LBA
	Count int
	// Copy is an index in the copies, or -1 for sectors that several made together.
	Copy int
	// Other is the copy that agrees, or contradicts, or -1.
	Other int
	Proof Proof
}

// Provenance is where the sectors of a merged image come from.
type Provenance struct {
	Copies []Copy
	Runs   []Run // in order
}

// Sectors counts those of a proof.
func (p *Provenance) Sectors(proof Proof) int {
	n := 0
	for _, r := range p.Runs {
		if r.Proof == proof {
			n += r.Count
		}
	}
	return n
}

// Rename gives the copies other names.
func (p *Provenance) Rename(name func(string) string) {
	for i := range p.Copies {
		p.Copies[i].Name = name(p.Copies[i].Name)
	}
}

// At returns the run that has a sector.
func (p *Provenance) At(a disc.LBA) (Run, bool) {
	i, _ := slices.BinarySearchFunc(p.Runs, a, func(r Run, a disc.LBA) int { return cmp.Compare(r.First+disc.LBA(r.Count), a+1) })
	if i < len(p.Runs) && p.Runs[i].First <= a {
		return p.Runs[i], true
	}
	return Run{}, false
}

// Provenance returns where the sectors come from that were read so far. Of an input that
// was merged itself, they come from the copies from which that was made.
func (m *Image) Provenance() *Provenance {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := newTracer(m.sources)
	for _, r := range m.ledger {
		for a := r.first; a < r.end(); {
			run := t.trace(r, a)
			a += disc.LBA(run.Count)
			t.add(run)
		}
	}
	return &t.out
}

// A tracer follows sectors to the copies of which the inputs were made.
type tracer struct {
	sources []*source
	maps    [][]int // of each input that was merged: its copies among all
	out     Provenance
}

func newTracer(sources []*source) *tracer {
	t := &tracer{sources: sources, maps: make([][]int, len(sources))}
	for i, s := range sources {
		if s.origin == nil {
			t.maps[i] = []int{t.copyOf(Copy{s.name, s.shift})}
			continue
		}
		for _, c := range s.origin.Copies {
			t.maps[i] = append(t.maps[i], t.copyOf(Copy{c.Name, c.Shift + s.shift}))
		}
	}
	return t
}

// copyOf returns the index of a copy: one name is one copy.
func (t *tracer) copyOf(c Copy) int {
	full := absolute(c.Name)
	i := slices.IndexFunc(t.out.Copies, func(x Copy) bool { return absolute(x.Name) == full })
	if i < 0 {
		i = len(t.out.Copies)
		t.out.Copies = append(t.out.Copies, c)
	}
	return i
}

func absolute(name string) string {
	full, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	return full
}

// trace returns the run of sectors from a on, within a row of the ledger.
func (t *tracer) trace(r row, a disc.LBA) Run {
	run := Run{First: a, Count: int(r.end() - a), Copy: several, Other: several, Proof: r.proof}
	if r.input < 0 {
		return run
	}
	from := t.origin(r.input, a, &run)
	run.Copy = from.Copy
	if r.against < 0 {
		if from.Proof.Good() && r.proof == Stated {
			run.Proof, run.Other = from.Proof, from.Other
		}
		return run
	}
	other := t.origin(r.against, a, &run)
	if run.Other = other.Copy; run.Other != run.Copy || run.Copy < 0 {
		return run
	}
	run.Other = several // it is the same copy: nothing agrees
	if r.proof == Agreed {
		run.Proof = Stated
	}
	return run
}

// origin returns from which of all copies an input has a sector, and shortens a run to the
// sectors that it has from there.
func (t *tracer) origin(input int, a disc.LBA, run *Run) Run {
	s, all := t.sources[input], t.maps[input]
	if s.origin == nil {
		return Run{Copy: all[0], Other: several}
	}
	from, ok := s.origin.At(a)
	if !ok {
		run.Count = 1
		return Run{Copy: several, Other: several}
	}
	run.Count = min(run.Count, int(from.First)+from.Count-int(a))
	for _, x := range []*int{&from.Copy, &from.Other} {
		if *x >= 0 {
			*x = all[*x]
		}
	}
	return from
}

// add appends a run, or makes the last one longer.
func (t *tracer) add(r Run) {
	if k := len(t.out.Runs) - 1; k >= 0 {
		last := &t.out.Runs[k]
		if last.First+disc.LBA(last.Count) == r.First && last.Copy == r.Copy && last.Other == r.Other && last.Proof == r.Proof {
			last.Count += r.Count
			return
		}
	}
	t.out.Runs = append(t.out.Runs, r)
}

// The first line of a file, and what begins the lines of copies and runs.
const (
	provenanceTitle = "spindle merge 1"
	copyWord        = "copy"
	runWord         = "run"
	nobody          = "-"
)

// WriteTo writes the provenance as text.
func (p *Provenance) WriteTo(w io.Writer) (int64, error) {
	b := bufio.NewWriter(w)
	var n int64
	put := func(format string, args ...any) {
		k, _ := fmt.Fprintf(b, format, args...)
		n += int64(k)
	}
	put("%s\n# copy NUMBER NAME: an image from which this one was made, and by how many samples its audio was moved\n", provenanceTitle)
	for i, c := range p.Copies {
		put("%s %d %s %d\n", copyWord, i+1, strconv.Quote(c.Name), c.Shift)
	}
	put("# run FIRST COUNT PROOF FROM OTHER: sectors, why they are taken for right, and the copies they are from\n")
	for _, r := range p.Runs {
		put("%s %d %d %s %s %s\n", runWord, r.First, r.Count, r.Proof, copyNumber(r.Copy), copyNumber(r.Other))
	}
	return n, b.Flush()
}

func copyNumber(i int) string {
	if i < 0 {
		return nobody
	}
	return strconv.Itoa(i + 1)
}

// Limits on what is read: bytes of a line, copies, runs.
const (
	maxLine   = 1 << 16
	maxCopies = 1 << 10
	maxRuns   = 1 << 22
)

// ReadProvenance reads what [Provenance.WriteTo] wrote. The error wraps [ErrProvenance]
// and names the line.
func ReadProvenance(r io.Reader) (*Provenance, error) {
	p := new(Provenance)
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, maxLine)
	line := 0
	for scan.Scan() {
		line++
		text := scan.Text()
		if line == 1 {
			if text != provenanceTitle {
				return nil, fmt.Errorf("%w: line 1: it does not begin with %q", ErrProvenance, provenanceTitle)
			}
			continue
		}
		if text == "" || text[0] == '#' {
			continue
		}
		if err := p.parse(text); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrProvenance, line, err)
		}
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("%w: line %d: %w", ErrProvenance, line+1, err)
	}
	if line == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrProvenance)
	}
	return p, nil
}

func (p *Provenance) parse(text string) error {
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case copyWord:
		return p.parseCopy(rest)
	case runWord:
		return p.parseRun(strings.Fields(rest))
	}
	return fmt.Errorf("unknown word %q", word)
}

func (p *Provenance) parseCopy(rest string) error {
	number, rest, _ := strings.Cut(rest, " ")
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil || number != strconv.Itoa(len(p.Copies)+1) || len(p.Copies) >= maxCopies {
		return errors.New("not the next copy")
	}
	name, err := strconv.Unquote(quoted)
	if err != nil {
		return err
	}
	shift, err := strconv.Atoi(strings.TrimSpace(rest[len(quoted):]))
	if err != nil {
		return err
	}
	p.Copies = append(p.Copies, Copy{name, shift})
	return nil
}

func (p *Provenance) parseRun(words []string) error {
	const fields = 5
	if len(words) != fields || len(p.Runs) >= maxRuns {
		return errors.New("not a run")
	}
	first, err := strconv.Atoi(words[0])
	count, err2 := strconv.Atoi(words[1])
	proof := slices.Index(proofNames[:], words[2])
	r := Run{First: disc.LBA(first), Count: count, Proof: Proof(max(proof, 0))}
	var err3, err4 error
	r.Copy, err3 = p.parseNumber(words[3])
	r.Other, err4 = p.parseNumber(words[4])
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return err
	}
	least := -disc.MaxLBA
	if k := len(p.Runs) - 1; k >= 0 {
		least = int(p.Runs[k].First) + p.Runs[k].Count
	}
	if proof <= 0 || first < least || count < 1 || count > disc.MaxLBA || first > disc.MaxLBA-count {
		return errors.New("an impossible run")
	}
	p.Runs = append(p.Runs, r)
	return nil
}

func (p *Provenance) parseNumber(s string) (int, error) {
	if s == nobody {
		return several, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > len(p.Copies) {
		return 0, fmt.Errorf("no copy %q", s)
	}
	return n - 1, nil
}
