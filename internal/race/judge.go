package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"

	"spindle/disc/cdsector"
	"spindle/image/mapfile"
)

const userSize = 2048

// A verdict compares what a program wrote with the source.
type verdict struct {
	size          int // bytes of a sector
	source, out   []byte
	good          func(sector int) bool // as the program has it
	right, silent int                   // sectors
	samples       int                   // bytes / 4 that are right
}

func (v *verdict) judge() {
	for i := range len(v.source) / v.size {
		want := v.source[i*v.size:][:v.size]
		if (i+1)*v.size > len(v.out) {
			break
		}
		got := v.out[i*v.size:][:v.size]
		if bytes.Equal(got, want) {
			v.right++
			v.samples += v.size / 4
			continue
		}
		for k := 0; k < v.size; k += 4 {
			if [4]byte(got[k:]) == [4]byte(want[k:]) {
				v.samples++
			}
		}
		if v.good(i) {
			v.silent++
		}
	}
}

// user keeps the user data of raw sectors of mode 1.
func user(raw []byte) []byte {
	b := make([]byte, 0, len(raw)/cdsector.Size*userSize)
	for i := range len(raw) / cdsector.Size {
		b = append(b, raw[i*cdsector.Size+16:][:userSize]...)
	}
	return b
}

// swap turns 16-bit samples round.
func swap(b []byte) {
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
}

// The places that programs name as not right, each with what its numbers count. A second number is the last of a range.
var naming = []struct {
	pattern   *regexp.Regexp
	perSector int
}{
	{regexp.MustCompile(`Error on sector (\d+) not corrected`), 1},                    // readom
	{regexp.MustCompile(`(?i)sector (\d+): L-EC error`), 1},                           // cdrdao
	{regexp.MustCompile(`(?i)error.* at sector (\d+)`), 1},                            // cdrdao
	{regexp.MustCompile(`##: -?\d+ \[(?:skip|readerr)\] @ (\d+)`), cdsector.Size / 2}, // cdparanoia -e
	{regexp.MustCompile(`[Ss]ectors? (\d+)(?:-(\d+))?: +(?:.*error|.*missing)`), 1},   // dvdisaster
}

// mostNamed bounds a range: no disc has more sectors.
const mostNamed = 1 << 26

// named returns the sectors that a program names in its output.
func named(said []byte) map[int]bool {
	all := map[int]bool{}
	for _, n := range naming {
		for _, m := range n.pattern.FindAllSubmatch(said, -1) {
			first, err := strconv.Atoi(string(m[1]))
			if err != nil {
				continue
			}
			last := first
			if len(m) > 2 && len(m[2]) > 0 {
				if last, err = strconv.Atoi(string(m[2])); err != nil || last >= mostNamed {
					last = first
				}
			}
			for at := first; at <= last; at++ {
				all[at/n.perSector] = true
			}
		}
	}
	return all
}

// deadSector is how dvdisaster fills what it could not read.
var deadSector = []byte("dvdisaster dead sector marker")

// judge prints one row.
func judge(args []string) error {
	f := flag.NewFlagSet("judge", flag.ExitOnError)
	var (
		name, program = f.String("disc", "", "name of the disc"), f.String("program", "", "name of the program")
		counts        = f.String("counts", "", "counts of the drive")
		source        = f.String("source", "", "raw or cooked sectors of the disc")
		out           = f.String("out", "", "what the program wrote")
		form          = f.String("form", "raw", "of what it wrote: raw or user")
		first         = f.Int("first", 0, "sector that it begins with")
		only          = f.Int("only", 0, "sectors of the source that can be had so (0: all)")
		skip          = f.Int("skip", 0, "bytes before its first sector")
		gap           = f.Int("gap", 0, "first of the 150 sectors that its sheet states as silence, and its output leaves out (0: none)")
		swapped       = f.Int("swapped", -1, "sector from which audio has its most significant byte first")
		mapPath       = f.String("map", "", "map of what is good")
		said          = f.String("said", "", "output of the program")
		note          = f.String("note", "", "what else there is to say")
	)
	if err := f.Parse(args); err != nil {
		return err
	}
	v, err := load(*source, *out, *form)
	if err != nil {
		return err
	}
	v.out = v.out[min(*skip, len(v.out)):]
	v.out = append(bytes.Clone(v.source[:*first*v.size]), v.out...)
	if at := *gap * v.size; at > 0 && at <= len(v.out) {
		v.out = slices.Insert(v.out, at, make([]byte, pregap*v.size)...)
	}
	if *swapped >= 0 {
		swap(v.out[min(*swapped*v.size, len(v.out)):])
	}
	total := len(v.source) / v.size
	if *only > 0 {
		total = *only
		v.source = v.source[:(*first+total)*v.size]
	}
	if v.good, err = goodBy(*mapPath, *said, v); err != nil {
		return err
	}
	v.judge()
	drive, err := os.ReadFile(*counts)
	if err != nil {
		return err
	}
	fmt.Printf("race\t%s\t%s\t%d\t%d\t%d\t%s\t%.4f\t%s\n", *name, *program, total, v.right-*first, v.silent, bytes.TrimSpace(drive),
		float64(v.samples-*first*v.size/4)/float64(total*v.size/4), *note)
	return nil
}

// load reads source and output, both as raw sectors or both as their user data.
func load(source, out, form string) (*verdict, error) {
	v := &verdict{size: cdsector.Size}
	var err, missing error
	v.source, err = os.ReadFile(source)
	v.out, missing = os.ReadFile(out)
	if errors.Is(missing, os.ErrNotExist) {
		missing = nil // the program wrote nothing
	}
	if form == "user" {
		if v.size = userSize; len(v.source) == discSectors*cdsector.Size {
			v.source = user(v.source)
		}
	}
	return v, errors.Join(err, missing)
}

// goodBy returns what a program calls good: by its map, or all that it does not name.
func goodBy(path, said string, v *verdict) (func(int) bool, error) {
	bad := map[int]bool{}
	if said != "" {
		b, err := os.ReadFile(said)
		if err != nil {
			return nil, err
		}
		bad = named(b)
	}
	if path == "" {
		return func(i int) bool { return !bad[i] && !bytes.HasPrefix(v.out[i*v.size:], deadSector) }, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return func(int) bool { return true }, nil // all is good
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := mapfile.Read(f)
	if err != nil {
		return nil, err
	}
	return func(i int) bool {
		pos := int64(i) * int64(v.size)
		return pos < m.Size() && m.At(pos) == mapfile.Finished
	}, nil
}
