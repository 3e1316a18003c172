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
	"spindle/image"
	"spindle/image/mapfile"
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
		kind *kindError
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
			all = append(all, scsi.DriveInfo{Path: n, Vendor: "ACME", Model: "Writer", Serial: "S123"}) // twins
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

// What a map beside an image says was not read, nobody reads from the simulated drive: as
// user data, as whole sectors, or as audio, and whatever disc it is made to be.
func TestFlaws(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	for _, test := range []struct {
		disc, media, name string
		size              int64
	}{{"iso", "cd-rom", "", 2048}, {"iso", "dvd-rom", "", 2048}, {"data", "cd-rom", "", 2352}, {"audio", "cd-rom", "", 2352}} {
		path, err := testdisc.Make(dir, test.disc)
		if err != nil {
			t.Fatal(err)
		}
		img, err := image.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		m := mapfile.New(int64(img.Layout().Sectors()) * test.size)
		img.Close()
		m.Set(0, m.Size(), mapfile.Finished)
		m.Set(200*test.size, 2*test.size, mapfile.Bad)
		m.Set(210*test.size, test.size, mapfile.ReadWithErrors)
		f, err := os.Create(path + ".map")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.WriteTo(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
		c, err := Open(ctx, "sim:"+path+"?media="+test.media, Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := mmc.New(c)
		if _, err := drive.Survey(ctx, d, drive.ForReading); err != nil {
			t.Fatal(err)
		}
		reads := map[string]func(at, n int) error{}
		if test.media == "cd-rom" {
			reads["READ CD"] = func(at, n int) error {
				_, err := d.ReadCD(ctx, make([]byte, n*2352), mmc.CDReadRequest{LBA: disc.LBA(at), Count: n, Fields: mmc.RawSector})
				return err
			}
		}
		if test.disc != "audio" {
			reads["READ (10)"] = func(at, n int) error {
				_, err := d.Read10(ctx, make([]byte, n*2048), disc.LBA(at))
				return err
			}
		}
		for name, read := range reads {
			for at, good := range map[int]bool{199: true, 200: false, 201: false, 202: true, 210: false, 211: true} {
				err := read(at, 1)
				sense := scsi.SenseOf(err)
				if good && err != nil || !good && (sense == nil || sense.Key != 3 || sense.ASC != 0x11 || sense.ASCQ != 0) {
					t.Errorf("%s as %s, %s of %d: %v", test.disc, test.media, name, at, err)
				}
			}
			if err := read(195, 10); err == nil {
				t.Errorf("%s as %s, %s across the damage: no error", test.disc, test.media, name)
			}
		}
		c.Close()
	}
}
