package rip

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/image/imagetest"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Where a drive tells of sessions in no way, data behind audio are a session of their own.
func TestCDExtraWithoutSessions(t *testing.T) {
	src := makeDisc(t, "cdextra")
	img, err := image.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	d := mmc.New(&quirky{sim.New(sim.Config{Image: img, NoFullTOC: true}), func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
		n, err := next.Execute(ctx, c)
		if c.CDB[0] == byte(scsi.OpReadTOC) && c.CDB[2]&15 == 1 && n > 3 {
			c.Data[2], c.Data[3] = 1, 1
		}
		return n, err
	}})
	out := filepath.Join(t.TempDir(), filepath.Base(src))
	res, err := Rip(t.Context(), d, Options{Output: out, Format: CueBin})
	if err != nil || len(res.Bad) > 0 {
		t.Fatalf("%v: %+v", err, res)
	}
	same(t, base(src)+".bin", base(out)+".bin")
}

// But where the drive reads what would be the gap between them, they are not.
func TestNoExtraWhereAudioIs(t *testing.T) {
	const audio = 12000
	path := filepath.Join(t.TempDir(), "x.cue")
	b := make([]byte, (audio+600)*cdsector.Size)
	for i := range audio * cdsector.Size {
		b[i] = byte(i>>2*7 + i>>11)
	}
	for i := range 600 {
		s := (*[cdsector.Size]byte)(b[(audio+i)*cdsector.Size:])
		cdsector.SetHeader(s, disc.LBA(audio+i).MSF(), 1)
		cdsector.Seal(s, cdsector.Mode1)
	}
	sheet := "FILE \"x.bin\" BINARY\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n  TRACK 02 MODE1/2352\n    INDEX 00 02:38:00\n    INDEX 01 02:40:00\n"
	for name, content := range map[string][]byte{path: []byte(sheet), base(path) + ".bin": b} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(t.TempDir(), "x.cue")
	res, err := Rip(t.Context(), tray(t, path, "?fulltoc=no&subchannel=no"), Options{Output: out, Format: CueBin})
	if err != nil || len(res.Bad) > 0 {
		t.Fatalf("%v: %+v", err, res)
	}
	if got := res.Sectors; got != audio+600 {
		t.Errorf("%d sectors were read", got)
	}
}

func TestFormattedQ(t *testing.T) {
	const at = 4500 - 150 // absolute time 01:00:00
	want := cdsector.Q{ADR: 1, Track: 12, Index: 1, Rel: addr.MSF{M: 0, S: 16, F: 20}, Abs: addr.MSF{M: 1, S: 0, F: 0}}
	f := want.Encode()
	var bcd [16]byte
	copy(bcd[:10], f[:10]) // without a CRC
	binary := bcd
	for _, i := range []int{1, 2, 3, 4, 5, 7, 8, 9} {
		binary[i] = bcd[i]>>4*10 + bcd[i]&15
	}
	for name, b := range map[string][16]byte{"BCD": bcd, "binary": binary} {
		if got, err := formattedQ(b, at); err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// Without a full TOC, two sessions are still recognised.
func TestWithoutFullTOC(t *testing.T) {
	for _, name := range []string{"twosession", "cdextra", "mixed", "hidden"} {
		src := makeDisc(t, name)
		out := filepath.Join(t.TempDir(), filepath.Base(src))
		if _, err := Rip(context.Background(), tray(t, src, "?fulltoc=no"), Options{Output: out, Format: CueBin}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		same(t, base(src)+".bin", base(out)+".bin")
		a, err := image.Open(context.Background(), src)
		if err != nil {
			t.Fatal(err)
		}
		b, err := image.Open(context.Background(), out)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a.Layout(), b.Layout(), cmpopts.IgnoreFields(disc.Session{}, "Format")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		a.Close()
		b.Close()
	}
}

// A disc in a drive is an image like any other, and one that cannot be read says
// so.
func TestOpenDisc(t *testing.T) {
	src := makeDisc(t, "mixed")
	img, err := OpenDisc(context.Background(), tray(t, src, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	file, err := image.Open(context.Background(), src)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	a, b := make([]byte, 1450*2352), make([]byte, 1450*2352)
	if err := img.ReadSectors(t.Context(), a, 0); err != nil {
		t.Fatal(err)
	}
	if err := file.ReadSectors(t.Context(), b, 0); err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Error("the disc in the drive is not the image")
	}
	imagetest.Test(t, img)
	bad, err := OpenDisc(context.Background(), tray(t, src, "?fault=read:100"))
	if err != nil {
		t.Fatal(err)
	}
	defer bad.Close()
	if err := bad.ReadSectors(t.Context(), a, 0); err == nil {
		t.Error("an unreadable sector is passed over")
	}
}
