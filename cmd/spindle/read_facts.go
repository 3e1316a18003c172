package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"spindle/disc"
	"spindle/disc/discid"
	"spindle/drive"
	"spindle/internal/atomicfile"
	"spindle/rip"
)

// factsFile is how a disc was read of which songs, or an image of another format, are still to be
// made, so that a run that was interrupted in between does not have to read it again.
type factsFile struct {
	Version  int      `json:"version"`
	Disc     string   `json:"disc"` // its table of contents, as CTDB writes it
	Offset   int      `json:"offset"`
	Shift    int      `json:"shift,omitempty"`
	Twice    bool     `json:"twice"`
	C2       bool     `json:"c2"`
	Overread bool     `json:"overread"`
	Proven   [][2]int `json:"proven,omitempty"`
	Voted    [][4]int `json:"voted,omitempty"`   // sector, samples, how many of how many agree
	Settled  [][2]int `json:"settled,omitempty"` // sector, samples
	Repaired [][3]int `json:"repaired,omitempty"`
	Resumed  bool     `json:"resumed"`
	Seconds  float64  `json:"seconds"`
}

const factsVersion = 1

// writeFacts writes down how a disc was read, when all of it is right.
func writeFacts(path string, l *disc.Layout, o *ripFlags, res *rip.Result) error {
	f := factsFile{
		Version: factsVersion, Disc: discid.TOCOf(l).String(), Offset: o.Offset, Shift: res.Shift, Twice: res.ReadTwice, C2: res.Pointed,
		Overread: res.Overread, Resumed: res.Resumed, Seconds: res.Elapsed.Seconds(),
	}
	for _, s := range res.Proven {
		f.Proven = append(f.Proven, [2]int{int(s.First), int(s.End)})
	}
	for _, v := range res.Votes {
		f.Voted = append(f.Voted, [4]int{int(v.At), v.Samples, v.Agree, v.Of})
	}
	for _, x := range res.Settled {
		f.Settled = append(f.Settled, [2]int{int(x.At), x.Samples})
	}
	for _, x := range res.Repaired {
		f.Repaired = append(f.Repaired, [3]int{int(x.At), x.Samples, x.Silent})
	}
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return atomicfile.Write(path, func(w *os.File) error {
		_, err := w.Write(b)
		return err
	})
}

// readFacts returns how a disc was read, or nil where nothing says so.
func readFacts(path string, l *disc.Layout, o *ripFlags) (*rip.Result, error) {
	b, err := readSmall(path, 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var f factsFile
	if err := json.Unmarshal(b, &f); err != nil || f.Version != factsVersion {
		return nil, nil // of no use: the raw rip is in the way
	}
	switch {
	case f.Disc != discid.TOCOf(l).String():
		return nil, rip.ErrOtherDisc
	case f.Offset != o.Offset:
		return nil, refusal{fmt.Errorf("the disc was read with --offset %d", f.Offset), exitUsage, "Use the same, or start over with --force."}
	}
	res := &rip.Result{Contents: &rip.Contents{Layout: l}, Shift: f.Shift, ReadTwice: f.Twice, Pointed: f.C2, Overread: f.Overread, Resumed: f.Resumed, Elapsed: time.Duration(f.Seconds * float64(time.Second))}
	for _, x := range f.Voted {
		res.Votes = append(res.Votes, rip.Vote{At: disc.LBA(x[0]), Samples: x[1], Agree: x[2], Of: x[3]})
	}
	for _, x := range f.Settled {
		res.Settled = append(res.Settled, rip.Settled{At: disc.LBA(x[0]), Samples: x[1]})
	}
	for _, x := range f.Repaired {
		res.Repaired = append(res.Repaired, rip.Repaired{At: disc.LBA(x[0]), Samples: x[1], Silent: x[2]})
	}
	for _, p := range f.Proven {
		res.Proven = append(res.Proven, drive.Stretch{First: disc.LBA(p[0]), End: disc.LBA(p[1])})
	}
	return res, nil
}
