package byname

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"spindle/disc"
	"spindle/drive"
	"spindle/internal/testdisc"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

func TestOpen(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	iso, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(dir, "trace")
	if err := os.WriteFile(trace, []byte(`{"spindle-trace":1,"max_transfer":65536}`+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]mmc.Profile{
		"sim:" + iso:                                  mmc.ProfileCDROM,
		"sim:" + iso + "?media=dvd-rom":               mmc.ProfileDVDROM,
		"sim:" + filepath.Join(dir, "x?media=dvd+rw"): mmc.ProfileDVDPlusRW,
		"sim:":               mmc.ProfileNone,
		"sim:trace=" + trace: mmc.ProfileNone,
	} {
		c, err := Open(ctx, name, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want != mmc.ProfileNone {
			if m, err := drive.Survey(ctx, mmc.New(c), drive.ForWriting); err != nil || m.Profile != want {
				t.Errorf("%s: %+v, %v", name, m, err)
			}
		}
		if err := c.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	cue, err := testdisc.Make(dir, "audio")
	if err != nil {
		t.Fatal(err)
	}
	var (
		spec *SpecError
		bad  *DiscError
		kind *KindError
		open *scsi.OpenError
	)
	ctx := context.Background()
	if _, err := Open(ctx, "sim:x?speed=fast", Options{}); !errors.As(err, &spec) {
		t.Errorf("%v", err)
	}
	if _, err := Open(ctx, "sim:"+filepath.Join(dir, "no.iso"), Options{}); !errors.As(err, &bad) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := Open(ctx, "sim:"+cue+"?media=dvd-rom", Options{}); !errors.As(err, &kind) || kind.Is != disc.CD {
		t.Errorf("%v", err)
	}
	for _, access := range []Access{Shared, Exclusive} {
		if _, err := Open(ctx, cue, Options{Access: access}); !errors.As(err, &open) {
			t.Errorf("%v", err)
		}
	}
}

func TestChoose(t *testing.T) {
	drives := func(names ...string) (all []scsi.DriveInfo) {
		for _, n := range names {
			all = append(all, scsi.DriveInfo{Path: n})
		}
		return all
	}
	for _, test := range []struct {
		drives []scsi.DriveInfo
		loaded string // the first letters of those with a disc
		want   string
	}{
		{drives("a"), "", "a"},
		{drives("a", "b"), "b", "b"},
		{drives("a", "b"), "", ""},
		{drives("a", "b"), "ab", ""},
	} {
		loaded := func(path string) bool { return test.loaded == "ab" || path == test.loaded }
		got, err := choose(test.drives, loaded)
		var many *AmbiguousError
		if got != test.want || errors.As(err, &many) != (test.want == "") {
			t.Errorf("%v, loaded %q: %q, %v", test.drives, test.loaded, got, err)
		}
		if many != nil && many.Drives[0].Loaded != (test.loaded == "ab") {
			t.Errorf("%+v", many)
		}
	}
	if _, err := choose(nil, nil); !errors.Is(err, ErrNoDrive) {
		t.Errorf("%v", err)
	}
}

// A file below /dev is a file; what is not there, or is a device, is a drive.
func TestIs(t *testing.T) {
	for name, want := range map[string]bool{
		"sim:x.iso": true, "/dev/sr77": true, "/dev/null": true, "x.iso": false, "dev/sr0": false, "": false,
	} {
		if Is(name) != want {
			t.Errorf("Is(%q) is %t", name, !want)
		}
	}
	const shared = "/dev/shm"
	if _, err := os.Stat(shared); err != nil {
		t.Skip(err)
	}
	f, err := os.CreateTemp(shared, "spindle-*.iso")
	if err != nil {
		t.Skip(err)
	}
	f.Close()
	defer os.Remove(f.Name())
	if Is(f.Name()) || Is(shared) {
		t.Errorf("%s is taken for a drive", f.Name())
	}
}
