package ecm

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"spindle/cue"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
)

// create writes the file that the name without .ecm stands for: the user data of a data disc
// for an .iso, and of DVDs; otherwise the sectors of a CD, for which a CUE sheet stands beside.
func create(o *format.Output) error {
	inner := o.Base()
	if o.Layout.Medium != disc.CD || strings.EqualFold(filepath.Ext(inner), ".iso") {
		t, _, err := o.ReserveISO()
		if err != nil {
			return err
		}
		return write(o, []*disc.Track{t}, false)
	}
	if err := o.WholeCD(); err != nil {
		return err
	}
	if err := o.NameInText(); err != nil {
		return err
	}
	// The sheet names the file that comes out of the .ecm. One that is there would be taken for it.
	if _, err := os.Lstat(inner); err == nil {
		return fmt.Errorf("%s %w", inner, format.ErrShadows)
	}
	sheet := inner + ".cue"
	if ext := strings.ToLower(filepath.Ext(inner)); ext == ".bin" || ext == ".img" {
		sheet = strings.TrimSuffix(inner, filepath.Ext(inner)) + ".cue"
	}
	sub, err := o.SubBeside(sheet)
	if err != nil {
		return err
	}
	set := cue.NewSet(sheet, o.Layout, false)
	set.Sheet.Files[0].Name = filepath.Base(inner)
	set.Bins[0] = o.Path
	paths := set.Paths()
	if sub != "" {
		paths = append(paths, sub)
	}
	if err := o.Reserve(int64(o.Layout.Sectors())*cdsector.Size, paths...); err != nil {
		return err
	}
	if err := write(o, o.Layout.Tracks(), true); err != nil {
		return err
	}
	if sub != "" {
		if err := o.WriteSubFile(sub); err != nil {
			return err
		}
	}
	for _, x := range set.Texts() {
		if err := o.WriteBytes(x.Path, x.Data); err != nil {
			return err
		}
	}
	return nil
}

// write writes the file itself: whole sectors, from pregap to end, or user data.
func write(o *format.Output, tracks []*disc.Track, whole bool) error {
	return o.Write(o.Path, func(f *os.File) error {
		e := newEncoder(f)
		for _, t := range tracks {
			var err error
			if whole {
				err = o.CopyAs(t, t.Begin(), t.End, format.Whole, e.sectors)
			} else {
				err = o.CopyAs(t, t.Start, t.End, format.UserData, e.plain)
			}
			if err != nil {
				return err
			}
		}
		return e.end()
	})
}

// An encoder writes records.
type encoder struct {
	w    io.Writer
	edc  uint32
	kind byte
	run  []byte // of units of the kind
	out  []byte // records, to be written
}

// maxRun is how much of a record is kept until it is written, for its length comes first.
const maxRun = 256 << 10

func newEncoder(w io.Writer) *encoder { return &encoder{w: w, out: []byte(magic)} }

// plain takes bytes that are no sectors.
func (e *encoder) plain(p []byte) (int, error) {
	e.edc = cdsector.EDC(e.edc, p)
	e.add(literal, p)
	return len(p), e.flush(maxRun)
}

// sectors takes whole sectors of 2352 bytes.
func (e *encoder) sectors(p []byte) (int, error) {
	kinds := kindsOf(p)
	e.edc = cdsector.EDC(e.edc, p)
	for i, k := range kinds {
		s := (*[cdsector.Size]byte)(p[i*cdsector.Size:])
		switch k {
		case mode1:
			e.add(mode1, s[12:15], s[16:16+2048])
		case form1:
			e.add(literal, s[:16])
			e.add(form1, s[20:24+2048])
		case form2:
			e.add(literal, s[:16])
			e.add(form2, s[20:24+2324])
		default:
			e.add(literal, s[:])
		}
	}
	return len(p), e.flush(maxRun)
}

// kindsOf finds the types of sectors, on all processors.
func kindsOf(p []byte) []byte {
	kinds := make([]byte, len(p)/cdsector.Size)
	shares := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for i := range shares {
		wg.Go(func() {
			for n := i * len(kinds) / shares; n < (i+1)*len(kinds)/shares; n++ {
				kinds[n] = kindOf((*[cdsector.Size]byte)(p[n*cdsector.Size:]))
			}
		})
	}
	wg.Wait()
	return kinds
}

// kindOf is the type of record from which a sector comes back as it is.
func kindOf(s *[cdsector.Size]byte) byte {
	k := cdsector.Classify(s)
	if !cdsector.EDCOK(s, k) || !cdsector.ParityOK(s, k) {
		return literal
	}
	switch {
	case k == cdsector.Mode1 && s[15] == 1 && [8]byte(s[2068:]) == [8]byte{}:
		return mode1
	case k == cdsector.Form1:
		return form1
	case k == cdsector.Form2 && [4]byte(s[2348:]) != [4]byte{}: // without an EDC, none is made
		return form2
	}
	return literal
}

// add adds a unit, or bytes, to a record of its type.
func (e *encoder) add(kind byte, parts ...[]byte) {
	if kind != e.kind || len(e.run) >= maxRun {
		e.record()
		e.kind = kind
	}
	for _, p := range parts {
		e.run = append(e.run, p...)
	}
}

// record ends a record.
func (e *encoder) record() {
	if len(e.run) == 0 {
		return
	}
	e.out = append(appendNumber(e.out, e.kind, uint32(int64(len(e.run))/kinds[e.kind].stored-1)), e.run...)
	e.run = e.run[:0]
}

// appendNumber appends the head of a record.
func appendNumber(b []byte, kind byte, n uint32) []byte {
	first := kind | byte(n&31)<<2
	for n >>= 5; n > 0; n >>= 7 {
		b = append(b, first|0x80)
		first = byte(n & 0x7F)
	}
	return append(b, first)
}

// flush writes records, when there are some.
func (e *encoder) flush(atLeast int) error {
	if len(e.out) < atLeast {
		return nil
	}
	_, err := e.w.Write(e.out)
	e.out = e.out[:0]
	return err
}

// end writes the end.
func (e *encoder) end() error {
	e.record()
	e.out = appendNumber(e.out, literal, 1<<32-1)
	e.out = binary.LittleEndian.AppendUint32(e.out, e.edc)
	return e.flush(0)
}
