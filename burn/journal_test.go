package burn

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spindle/disc"
	"spindle/scsi"
)

func TestJournal(t *testing.T) {
	dir := t.TempDir()
	plan := &Plan{Steps: []Step{{Op: OpWrite, Count: 100}, {Op: OpSync}}}
	w, err := Create(dir, "", Begin{Image: Identity{Path: "/x.iso", Size: 7}, Plan: plan, MediumID: "A/B"})
	if err != nil {
		t.Fatal(err)
	}
	w.step(0, 64, true)
	w.failure(&Error{Step: plan.Steps[0], LBA: 64, State: Appendable,
		Err: &scsi.CheckCondition{Opcode: 0x2A, Sense: scsi.Sense{Key: scsi.MediumError, ASC: 0x0C}}}, "ab", 5)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	j, err := ReadJournal(w.Path())
	if err != nil || !j.Failed || j.Done || j.Last.LBA != 64 || j.Last.Sense != "3/0C/00" || j.Last.State != Appendable || j.Begin.MediumID != "A/B" {
		t.Errorf("%+v %v", j, err)
	}
	// A power cut in the middle of a line loses that line.
	b, err := os.ReadFile(w.Path())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.Path(), b[:len(b)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	if j, err = ReadJournal(w.Path()); err != nil || j.Failed || j.Last.LBA != 64 {
		t.Errorf("%+v %v", j, err)
	}
	all, err := Failures(dir)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d failures, %v", len(all), err)
	}
	// One that was gone on with is no longer listed.
	w, err = Create(dir, "", Begin{Plan: plan, Retry: all[0].Path})
	if err != nil {
		t.Fatal(err)
	}
	w.write(Entry{Event: "done"})
	w.Close()
	if all, err = Failures(dir); err != nil || len(all) != 0 {
		t.Errorf("%d failures, %v", len(all), err)
	}
	if _, err := Failures(filepath.Join(dir, "none")); err != nil {
		t.Error(err)
	}
}

func TestIdentity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	id, err := Identify(path)
	if err != nil || id.Same() != nil {
		t.Fatal(err, id.Same())
	}
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := id.Same(); !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := id.Same(); !errors.Is(err, ErrSource) || errors.Is(err, ErrChanged) {
		t.Error(err)
	}
}

// An image that was only touched is the same by the sum of what was sent.
func TestTouchedImage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.iso")
	content := make([]byte, 100*2048)
	pattern{}.ReadAt(content, 0)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	src := ImageSource("", data(t, disc.DVD, 100))
	plan := &Plan{Steps: []Step{{Op: OpWrite, Count: 112, Pad: 12}}}
	id, err := Identify(path)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := sentSum(t.Context(), src, plan, 50*2048)
	if err != nil {
		t.Fatal(err)
	}
	id.ModTime = id.ModTime.Add(time.Hour)
	j := &Journal{Begin: Begin{Image: id, Plan: plan}, Last: Entry{SHA256: sum, Bytes: 50 * 2048}}
	if err := j.CheckImage(t.Context(), src); err != nil {
		t.Error(err)
	}
	if err := j.CheckImage(t.Context(), ImageSource("", changed(src.image, 7))); !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"event":"begin","begin":{"plan":{"steps":[{"op":"write"}]}}}` + "\n" + `{"event":"failed","step":1}`))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := parseJournal(bytes.NewReader(b))
		if err == nil && (j.Begin.Plan == nil || j.Last.Step > len(j.Begin.Plan.Steps)) {
			t.Fatalf("%+v", j)
		}
		if err != nil && !errors.Is(err, ErrJournal) && !strings.Contains(err.Error(), "token too long") {
			t.Fatal(err)
		}
	})
}
