package rip

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"spindle/disc/cdsector"
	"spindle/image/mapfile"
	"spindle/internal/diskspace"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

func TestNothingIsOverwritten(t *testing.T) {
	src := makeDisc(t, "data")
	for _, taken := range []string{"x.cue", "x.bin", "x.bin.part"} {
		dir := t.TempDir()
		path := filepath.Join(dir, taken)
		if err := os.WriteFile(path, []byte("precious"), 0o666); err != nil {
			t.Fatal(err)
		}
		opts := Options{Output: filepath.Join(dir, "x.cue"), Format: CueBin}
		if _, err := Rip(context.Background(), tray(t, src, ""), opts); !errors.Is(err, ErrExists) {
			t.Errorf("%s: %v", taken, err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
			t.Errorf("%s was changed", taken)
		}
		opts.Force = true
		if _, err := Rip(context.Background(), tray(t, src, ""), opts); err != nil {
			t.Errorf("%s, forced: %v", taken, err)
		}
		same(t, base(src)+".bin", filepath.Join(dir, "x.bin"))
	}
}

func TestInterruptAndResume(t *testing.T) {
	src := makeDisc(t, "mixed")
	out := filepath.Join(t.TempDir(), "mixed.cue")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := &observer{progress: func(p Progress) {
		if p.LBA > 700 && p.Phase == Copying {
			cancel()
		}
	}}
	if _, err := Rip(ctx, tray(t, src, ""), Options{Output: out, Format: CueBin, Observer: o}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		drive *mmc.Drive
		opts  Options
		want  error
	}{
		"other disc":    {tray(t, makeDisc(t, "audio"), ""), Options{Output: out, Format: CueBin}, ErrOtherDisc},
		"other options": {tray(t, src, ""), Options{Output: out, Format: CueBin, Split: true}, ErrOtherOptions},
	} {
		if _, err := Rip(context.Background(), test.drive, test.opts); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	res, err := Rip(context.Background(), tray(t, src, ""), Options{Output: out, Format: CueBin})
	if err != nil || !res.Resumed {
		t.Fatal(res, err)
	}
	same(t, src, out)
	same(t, base(src)+".bin", base(out)+".bin")
}

// A disc with the same table of contents but other sectors is another disc.
func TestSameTOCOtherContent(t *testing.T) {
	src := makeDisc(t, "data")
	out := filepath.Join(t.TempDir(), "x.cue")
	opts := Options{Output: out, Format: CueBin}
	if _, err := Rip(context.Background(), tray(t, src, "?fault=be:40:gone"), opts); !errors.Is(err, scsi.ErrGone) {
		t.Fatal(err)
	}
	bin := base(src) + ".bin"
	b, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	for ; len(b) >= 2352; b = b[2352:] {
		s := (*[2352]byte)(b)
		s[100] ^= 1
		cdsector.Seal(s, cdsector.Mode1)
	}
	whole, _ := os.ReadFile(bin)
	for i := 0; i < len(whole); i += 2352 {
		s := (*[2352]byte)(whole[i:])
		s[100] ^= 1
		cdsector.Seal(s, cdsector.Mode1)
	}
	if err := os.WriteFile(bin, whole, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Rip(context.Background(), tray(t, src, ""), opts); !errors.Is(err, ErrOtherDisc) {
		t.Error(err)
	}
}

func TestOutputFails(t *testing.T) {
	src := makeDisc(t, "data")
	if _, err := Rip(context.Background(), tray(t, src, ""), Options{Output: "/dev/null/x.cue", Format: CueBin}); err == nil {
		t.Error("a folder that cannot be is accepted")
	}
	out := filepath.Join(t.TempDir(), "x.cue")
	var j *job
	o := &observer{progress: func(p Progress) {
		if p.LBA > 500 {
			j.writer.out.files[0].f.Close() // as if the disk had gone
		}
	}}
	j = &job{drive: tray(t, src, ""), opts: Options{Output: out, Format: CueBin, Observer: o}, mapPath: out + mapfile.Suffix, free: diskspace.Free}
	if _, err := j.run(context.Background()); !errors.Is(err, ErrOutput) {
		t.Fatalf("%v", err)
	}
	f, err := os.Open(out + mapfile.Suffix)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if m, err := mapfile.Read(f); err != nil || m.Count(mapfile.Finished) == m.Size() {
		t.Errorf("the map says that all is finished (%v)", err)
	}
	res, err := Rip(context.Background(), tray(t, src, ""), Options{Output: out, Format: CueBin})
	if err != nil || !res.Resumed {
		t.Fatal(err)
	}
	same(t, base(src)+".bin", base(out)+".bin")
}
