package journal

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"spindle/burn"
	"spindle/disc"
	"spindle/scsi"
)

// describe tells what a journal says.
func describe(j *Journal) string {
	o, p, f := j.Options, j.Plan, j.Failure
	image := j.Image.Files[0]
	sum, failed := "", f.Reason != Broken
	if j.At.Sent.Bytes > 0 {
		sum = hex.EncodeToString(j.At.Sent.SHA256[:])
	}
	return fmt.Sprintf("image %s, %d bytes, %s\n", j.Image.Path, image.Size, image.ModTime.UTC().Format(time.RFC3339Nano)) +
		fmt.Sprintf("options mode %q, speed %g, multi %t, simulate %t, blank %t, full %t, spare %q, overburn %t, any place %t\n",
			o.Mode, o.Speed, o.Multi, o.Simulate, o.Blank, o.Full, o.Spare, o.Overburn, o.AnyPlace) +
		fmt.Sprintf("device %s (%s)\nmedium %s %s\nverify %t, retry %q\n", j.Device, j.Drive, j.Profile, j.MediumID, j.Verify, j.Retry) +
		fmt.Sprintf("at step %d, sector %d, failed %t, done %t, state %q, error %q, sense %q\n", j.At.Step, j.At.LBA, failed, j.Done, f.State, f.Text, f.Sense) +
		fmt.Sprintf("sum %q of %d bytes\n", sum, j.At.Sent.Bytes) +
		fmt.Sprintf("start %d, final %t, simulate %t, expected %s, %d kB/s\n%s", p.Start, p.Final, p.Simulate, p.Expected, p.Speed, p)
}

func golden(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/version1/*" + Suffix)
	if err != nil || len(files) < 15 {
		t.Fatalf("%d journals, %v", len(files), err)
	}
	return files
}

// The journals of version 1 are read as they were when they were written. Only the
// words about what the drive did are no longer a part of the error.
func TestVersion1(t *testing.T) {
	for _, file := range golden(t) {
		j, err := Read(file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		want, err := os.ReadFile(strings.TrimSuffix(file, Suffix) + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		text := string(want)
		if _, rest, ok := strings.Cut(text, `error "the burn failed while `); ok {
			_, cause, _ := strings.Cut(rest, ": ")
			text = text[:strings.Index(text, `error "`)] + `error "` + cause
		}
		const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // the sum of no bytes
		text = strings.Replace(text, nothing, "", 1)
		text = strings.Replace(text, `error "the disc differs from the image"`, `error ""`, 1)
		if got := describe(j); got != text {
			t.Errorf("%s:\n%s\nwant\n%s", file, got, text)
		}
		if j.Version != 1 {
			t.Errorf("%s: version %d", file, j.Version)
		}
	}
}

// What version 2 writes, it reads: every plan of version 1, and what can happen.
func TestRoundTrip(t *testing.T) {
	for i, file := range golden(t) {
		old, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		old.Plan.Content = []burn.Region{{LBA: 16, Source: 0, Count: 100, Form: burn.FormMode2}}
		old.Image.Files[0].SHA256 = strings.Repeat("ab", 32)
		old.Image.Files = append(old.Image.Files, FileID{Name: "sub/x.bin", Size: 1 << 40, ModTime: time.Unix(5, 6).UTC()})
		old.Options.Streaming, old.Damaged = true, 3
		path := filepath.Join(t.TempDir(), "x")
		w, err := Create(path, old.Begin)
		if err != nil {
			t.Fatal(err)
		}
		at := burn.Position{Step: 1, LBA: -150, Sent: burn.Sum{Bytes: 5, SHA256: [32]byte{7}}}
		w.Reached(burn.Position{})
		want := *old
		want.Path, want.Version, want.At, want.Done, want.Failure = path, Version, at, false, Failure{}
		switch i % 3 {
		case 0:
			w.Reached(at)
		case 1:
			w.Failed(&burn.Error{Step: old.Plan.Steps[1], At: at, State: burn.Appendable,
				Err: &scsi.CheckCondition{Opcode: 0x2A, Sense: scsi.Sense{Key: scsi.MediumError, ASC: 0x0C}}})
			want.Failure = Failure{Stopped, "WRITE (10): 3/0C/00 write error", "3/0C/00", burn.Appendable}
		case 2:
			w.Failed(&burn.Error{Step: old.Plan.Steps[1], At: at, State: burn.Spoiled, Err: context.Canceled})
			want.Failure = Failure{Interrupted, "", "", burn.Spoiled}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		want.Time = got.Time
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("%s:\n%+v\nwant\n%+v", file, *got, want)
		}
	}
}

// first is the first line of a good journal.
const first = `{"version":2,"time":"2026-01-02T03:04:05Z","event":"begin","begin":{"image":{"path":"/x.iso"},"options":{},` +
	`"device":"/dev/sr0","drive":"","medium":"DVD+R","plan":{"profile":27,"mode":"sequential","speed":0,"start":0,"seconds":1,` +
	`"content":[],"steps":[{"op":"write","lba":0,"source":0,"count":32,"form":"block"},{"op":"synchronize"}]},"verify":true}}` + "\n"

func TestRefused(t *testing.T) {
	reached := `{"time":"2026-01-02T03:04:05Z","event":"reached","at":{"step":0,"lba":16}}` + "\n"
	if j, err := parse(strings.NewReader(first + reached)); err != nil || j.At.LBA != 16 {
		t.Fatal(j, err)
	}
	old, err := os.ReadFile("testdata/version1/dvd+r-write" + Suffix)
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, by string) string {
		if !strings.Contains(first+reached, old) {
			t.Fatalf("no %s", old)
		}
		return strings.Replace(first+reached, old, by, 1)
	}
	for name, test := range map[string]struct {
		text  string
		line  int
		field string
		err   error
	}{
		"empty":                {"", 0, "", errEmpty},
		"cut short":            {first[:100], 1, "", errCut},
		"version 1, cut short": {string(old[:100]), 1, "", errCut},
		"no JSON":              {"hello\n", 1, "", ErrMalformed},
		"an array":             {"[]\n", 1, "", ErrMalformed},
		"a future version":     {change(`"version":2`, `"version":3`), 1, "version", ErrVersion},
		"version 0":            {change(`"version":2`, `"version":0`), 1, "version", ErrVersion},
		"a version in words":   {change(`"version":2`, `"version":"2"`), 1, "version", ErrMalformed},
		"no beginning":         {`{"version":2,"event":"done"}` + "\n", 1, "event", ErrMalformed},
		"no plan":              {`{"version":2,"event":"begin"}` + "\n", 1, "begin", ErrMalformed},
		"old, no plan":         {`{"event":"begin"}` + "\n", 1, "plan", ErrMalformed},
		"two beginnings":       {first + first, 2, "event", ErrMalformed},
		"an unknown event":     {change("reached", "arrived"), 2, "event", ErrMalformed},
		"an unknown field":     {change(`"verify"`, `"verifi"`), 1, "", ErrMalformed},
		"a field of a step":    {change(`"form"`, `"function"`), 1, "", ErrMalformed},
		"a wrong type":         {change(`"lba":16`, `"lba":"16"`), 2, "at.lba", ErrMalformed},
		"a fraction":           {change(`"lba":16`, `"lba":1.5`), 2, "at.lba", ErrMalformed},
		"an address too large": {change(`"lba":16`, `"lba":99999999999`), 2, "lba", ErrMalformed},
		"a negative count":     {change(`"count":32`, `"count":-1`), 1, "count", ErrMalformed},
		"an unknown form":      {change(`"block"`, `"brick"`), 1, "form", ErrMalformed},
		"an unknown mode":      {change(`"sequential"`, `"sideways"`), 1, "mode", ErrMalformed},
		"an unknown operation": {change(`"synchronize"`, `"explode"`), 1, "op", ErrMalformed},
		"a step too far":       {change(`"step":0`, `"step":3`), 2, "step", ErrMalformed},
		"a negative step":      {change(`"step":0`, `"step":-1`), 2, "step", ErrMalformed},
		"no position":          {change(`,"at":{"step":0,"lba":16}`, ``), 2, "at", ErrMalformed},
		"two values a line":    {change("}}\n", "}}{}\n"), 1, "", ErrMalformed},
		"garbage in between":   {first + "garbage\n" + reached, 2, "", ErrMalformed},
		"an old field":         {strings.Replace(string(old), `"pad":5`, `"pod":5`, 1), 1, "", ErrMalformed},
		"an old type":          {strings.Replace(string(old), `"pad":5`, `"pad":"5"`, 1), 1, "begin.plan.steps.pad", ErrMalformed},
		"an old step":          {strings.Replace(string(old), `"pad":5`, `"pad":500`, 1), 1, "pad", ErrMalformed},
		"a sum that is none":   {strings.Replace(string(old), `"sha256":"`, `"sha256":"x`, 1), 4, "sha256", ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "j")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			j, err := Read(path)
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, ErrMalformed) || !errors.Is(err, test.err) {
				t.Fatalf("%+v, %v", j, err)
			}
			if e.Path != path || e.Line != test.line || e.Field != test.field {
				t.Errorf("%v: line %d, field %q", err, e.Line, e.Field)
			}
		})
	}
	if _, err := Read(t.TempDir()); !errors.Is(err, ErrMalformed) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Read("testdata/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// A line longer than any burn writes is refused before it is kept.
func TestBounded(t *testing.T) {
	long := endless{}
	if _, err := parse(long); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

// endless is a line without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// A last line that is cut off, as by a power cut, is left out.
func TestCutLine(t *testing.T) {
	reached := `{"time":"2026-01-02T03:04:05Z","event":"reached","at":{"step":0,"lba":16}}` + "\n"
	for n := range len(reached) {
		if j, err := parse(strings.NewReader(first + reached + reached[:n])); err != nil || j.At.LBA != 16 {
			t.Fatal(n, err)
		}
	}
}

// crowded is a file on a disk that has room for some bytes more.
type crowded struct {
	*os.File
	room       int
	noTruncate bool
}

func (c *crowded) Write(p []byte) (int, error) {
	n, err := c.File.Write(p[:min(len(p), c.room)])
	c.room -= n
	if n < len(p) && err == nil {
		err = syscall.ENOSPC
	}
	return n, err
}

func (c *crowded) Truncate(size int64) error {
	if c.noTruncate {
		return syscall.EIO
	}
	return c.File.Truncate(size)
}

// A disk that is full for a while costs lines, never the journal.
func TestDiskFullForAWhile(t *testing.T) {
	plan := &burn.Plan{Steps: []burn.Step{burn.WriteStep{Region: burn.Region{Count: 1000}}, burn.SyncStep{}}}
	for _, noTruncate := range []bool{false, true} {
		for room := range 100 {
			w, err := CreateIn(t.TempDir(), Begin{Plan: plan})
			if err != nil {
				t.Fatal(err)
			}
			c := &crowded{w.f.(*os.File), room, noTruncate}
			w.f = c
			for step := range 2 { // the second one begins where the first one left off
				w.Reached(burn.Position{Step: step, LBA: 64})
			}
			c.room = 1 << 20
			w.Failed(&burn.Error{Step: plan.Steps[0], At: burn.Position{Step: 0, LBA: 128}, Err: errors.New("no")})
			if err := w.Close(); !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			if j, err := Read(w.Path()); err != nil || j.At.LBA != 128 || j.Failure.Reason != Stopped {
				t.Fatalf("with room for %d bytes, truncation %t: %+v, %v", room, !noTruncate, j, err)
			}
		}
	}
}

func TestFailures(t *testing.T) {
	dir := t.TempDir()
	plan := &burn.Plan{Steps: []burn.Step{burn.WriteStep{Region: burn.Region{Count: 100}}, burn.SyncStep{}}}
	w, err := CreateIn(dir, Begin{Image: Identity{Path: "/x.iso"}, Plan: plan, MediumID: "A/B", Device: "/dev/sr0"})
	if err != nil {
		t.Fatal(err)
	}
	w.Reached(burn.Position{LBA: 64})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	failed, damaged, err := Failures(dir)
	if err != nil || len(failed) != 1 || len(damaged) != 0 {
		t.Fatalf("%d failures, %v, %v", len(failed), damaged, err)
	}
	// A journal that cannot be read is reported.
	bad := filepath.Join(dir, "z"+Suffix)
	if err := os.WriteFile(bad, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if j, damaged, err := Find(dir, "", ""); err != nil || j.Path != w.Path() || len(damaged) != 1 || !errors.Is(damaged[0], ErrMalformed) {
		t.Error(j, damaged, err)
	}
	// One that was resumed is no longer listed.
	v, err := CreateIn(dir, Begin{Plan: plan, Retry: failed[0].Path})
	if err != nil {
		t.Fatal(err)
	}
	v.Ended(burn.Result{})
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if _, damaged, err := Find(dir, "", ""); !errors.Is(err, ErrNone) || len(damaged) != 1 {
		t.Error(damaged, err)
	}
	if _, _, err := Failures(filepath.Join(dir, "none")); err != nil {
		t.Error(err)
	}
}

// A disc that does not hold the image, or was not compared, is a burn that failed.
func TestEnded(t *testing.T) {
	plan := &burn.Plan{Steps: []burn.Step{burn.SyncStep{}}}
	for _, test := range []struct {
		r    burn.Result
		want Reason
		done bool
	}{
		{burn.Result{}, Broken, true},
		{burn.Result{Verification: &burn.Verification{Sectors: 7}}, Broken, true},
		{burn.Result{Verification: &burn.Verification{Different: []burn.Range{{First: 3, Count: 2}}}}, Different, false},
		{burn.Result{Err: &burn.VerifyError{Err: burn.ErrReload}}, Unverified, false},
		{burn.Result{Err: &burn.VerifyError{Err: context.Canceled}}, Unverified, false},
	} {
		w, err := CreateIn(t.TempDir(), Begin{Plan: plan})
		if err != nil {
			t.Fatal(err)
		}
		if test.r.Verification != nil {
			w.Verified(test.r.Verification)
		}
		w.Ended(test.r)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if j, err := Read(w.Path()); err != nil || j.Failure.Reason != test.want || j.Done != test.done {
			t.Errorf("%+v: %+v %v", test.r, j, err)
		}
	}
}

func TestCreateTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	b := Begin{Plan: &burn.Plan{}}
	w, err := Create(path, b)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := Create(path, b); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) != 0 {
		t.Error(left)
	}
}

func TestDevice(t *testing.T) {
	abs, err := filepath.Abs("x.iso")
	if err != nil {
		t.Fatal(err)
	}
	if got := Device("sim:x.iso?media=dvd+r"); got != "sim:"+abs+"?media=dvd+r" {
		t.Error(got)
	}
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"sim:x.iso?media=dvd+r", "sim:" + abs, true},
		{"sim:x.iso", "sim:y.iso", false},
		{"/dev/sr0", "/dev/sr0", true},
		{"/dev/sr0", "/dev/sr1", false},
	} {
		if sameDevice(test.a, test.b) != test.same {
			t.Errorf("%+v", test)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(first))
	for _, file := range golden(f) {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		if j, err := Read(file); err == nil {
			if w, err := Create(filepath.Join(f.TempDir(), "x"), j.Begin); err == nil {
				w.Failed(&burn.Error{Step: burn.SyncStep{}, Err: burn.ErrSource})
				w.Close()
				if b, err := os.ReadFile(w.Path()); err == nil {
					f.Add(b)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := parse(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if j.Plan == nil || j.At.Step < 0 || j.At.Step > len(j.Plan.Steps) {
			t.Fatalf("%+v", j)
		}
		_ = j.Plan.String()
		_ = j.Plan.Bytes()
		// What was read can be written, and is the same again.
		begin, err := newBegin2(&j.Begin)
		if err != nil {
			t.Fatal(err)
		}
		var again Begin
		if err := begin.to(&again); err != nil {
			t.Fatal(err)
		}
	})
}

// An attempt that failed leaves the burn that it was to resume in the list where that one's
// disc can still be continued and the attempt was on another; one that succeeded takes out
// all those before it.
func TestSettled(t *testing.T) {
	write := func(mode burn.Mode, from disc.LBA) *burn.Plan {
		return &burn.Plan{Mode: mode, Steps: []burn.Step{burn.WriteStep{Region: burn.Region{LBA: from, Source: from, Count: 100}}}}
	}
	for _, test := range []struct {
		name          string
		first, second *burn.Plan
		at            disc.LBA // of the first
		done          bool     // the third, which resumes the second
		want          int
	}{
		{"on another disc", write(burn.Sequential, 0), write(burn.Sequential, 0), 64, false, 2},
		{"on the same disc", write(burn.Sequential, 0), write(burn.Sequential, 64), 64, false, 1},
		{"nothing was written", write(burn.Sequential, 0), write(burn.Sequential, 0), 0, false, 1},
		{"written at once", write(burn.SessionAtOnce, 0), write(burn.SessionAtOnce, 0), 64, false, 1},
		{"at last on a disc", write(burn.Sequential, 0), write(burn.Sequential, 0), 64, true, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			begin := func(plan *burn.Plan, retry string, at disc.LBA) *Writer {
				w, err := CreateIn(dir, Begin{Image: Identity{Path: "/x.iso"}, Plan: plan, Retry: retry})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { w.Close() })
				w.Reached(burn.Position{LBA: at})
				return w
			}
			second := begin(test.second, begin(test.first, "", test.at).Path(), 0)
			if test.done {
				begin(test.second, second.Path(), 0).Ended(burn.Result{})
			}
			if failed, _, err := Failures(dir); err != nil || len(failed) != test.want {
				t.Errorf("%d failures, want %d; %v", len(failed), test.want, err)
			}
		})
	}
}

// A burn that succeeded since, on a disc of the same make, makes the disc doubtful.
func TestLater(t *testing.T) {
	for _, test := range []struct {
		medium string
		done   bool
		want   bool
	}{{"A/B", true, true}, {"A/B", false, false}, {"C/D", true, false}} {
		dir := t.TempDir()
		plan := &burn.Plan{Steps: []burn.Step{burn.SyncStep{}}}
		var path string
		for i, medium := range []string{"A/B", test.medium} {
			w, err := CreateIn(dir, Begin{Plan: plan, MediumID: medium, Profile: "DVD+RW"})
			if err != nil {
				t.Fatal(err)
			}
			if w.Reached(burn.Position{}); i == 0 {
				path = w.Path()
			} else if test.done {
				w.Ended(burn.Result{})
			}
			w.Close()
		}
		if j, _, err := Find(dir, path, ""); err != nil || j.Later != test.want || j.Attempt().Later != test.want {
			t.Errorf("%+v: %v, %v", test, j, err)
		}
	}
}
