package cuefile

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/internal/testdisc"
)

// plainSub is the .sub of a disc that has what its layout says.
func plainSub(l *disc.Layout) []byte {
	var all []byte
	for _, t := range l.Tracks() {
		for a := t.Begin(); a < t.End; a++ {
			var p [cdsector.SubSize]byte
			l.Subchannel(a, &p)
			all = append(all, p[:]...)
		}
	}
	return all
}

// openRemarked opens a sheet, and returns what was remarked.
func openRemarked(t *testing.T, path string) (disc.Image, []format.Remark) {
	t.Helper()
	f, err := format.OpenFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var all []format.Remark
	f.Observe(func(r format.Remark) { all = append(all, r) })
	img, err := openFile(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	return img, all
}

const twoSessions = "CATALOG 1234567890128\nREM SESSION 01\nFILE x.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n" +
	"TRACK 02 AUDIO\nINDEX 00 00:06:00\nINDEX 01 00:08:00\nREM SESSION 02\nTRACK 03 AUDIO\nINDEX 01 00:20:00\n"

// A file of sub-channels that has the name of a sheet is taken when it fits, and else remarked.
func TestSubBesideSheet(t *testing.T) {
	const sectors = 2000
	for name, test := range map[string]struct {
		change func(l *disc.Layout, sub []byte) []byte
		want   format.RemarkKind // 0: it is taken
	}{
		"its own": {func(_ *disc.Layout, sub []byte) []byte { return sub }, 0},
		"graphics, and some of Q wrong on purpose": {func(_ *disc.Layout, sub []byte) []byte {
			for i := 0; i < len(sub); i += 11 * cdsector.SubSize {
				sub[i+cdsector.QSize+3]++
				sub[i+50] = 0x55
			}
			return sub
		}, 0},
		"sectors that were not read": {func(_ *disc.Layout, sub []byte) []byte {
			clear(sub[100*cdsector.SubSize : 1500*cdsector.SubSize])
			return sub
		}, 0},
		"without the pregap": {func(l *disc.Layout, _ []byte) []byte {
			l.Sessions[0].Tracks[0].End, l.Sessions[0].Tracks[1].Pregap = 600, 0
			return plainSub(l)
		}, 0},
		"a sector short at the start": {func(_ *disc.Layout, sub []byte) []byte { return sub[cdsector.SubSize:] }, format.OtherSub},
		"cut short":                   {func(_ *disc.Layout, sub []byte) []byte { return sub[:len(sub)/2+7] }, format.NoSubchannels},
		"a byte short":                {func(_ *disc.Layout, sub []byte) []byte { return sub[:len(sub)-1] }, format.NoSubchannels},
		"empty":                       {func(*disc.Layout, []byte) []byte { return nil }, format.OtherSub},
		"a sector long":               {func(_ *disc.Layout, sub []byte) []byte { return append(sub, sub[:cdsector.SubSize]...) }, format.OtherSub},
		"subtitles":                   {func(_ *disc.Layout, _ []byte) []byte { return []byte("{1}{2}Hello") }, format.OtherSub},
		"zeros":                       {func(_ *disc.Layout, sub []byte) []byte { clear(sub); return sub }, format.SubOfOther},
		"shifted": {func(_ *disc.Layout, sub []byte) []byte {
			return append(sub[cdsector.SubSize:], make([]byte, cdsector.SubSize)...)
		}, format.SubOfOther},
		"other tracks": {func(l *disc.Layout, _ []byte) []byte {
			s := &l.Sessions[0]
			s.Tracks[0].End, s.Tracks[1].Pregap, s.Tracks[1].Start = 200, 0, 200
			return plainSub(l)
		}, format.SubOfOther},
		"another catalogue number": {func(l *disc.Layout, _ []byte) []byte { l.MCN = "4006381333931"; return plainSub(l) }, format.SubOfOther},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "x.cue")
			write(t, filepath.Join(dir, "x.bin"), sectors*cdsector.Size)
			if err := os.WriteFile(path, []byte(twoSessions), 0o666); err != nil {
				t.Fatal(err)
			}
			without, _ := openRemarked(t, path)
			sub := test.change(without.Layout().Clone(), plainSub(without.Layout()))
			if err := os.WriteFile(filepath.Join(dir, "X.sub"), sub, 0o666); err != nil {
				t.Fatal(err)
			}
			img, remarks := openRemarked(t, path)
			taken := slices.Contains(img.Files(), filepath.Join(dir, "X.sub"))
			if test.want != 0 {
				if cut := test.want == format.NoSubchannels; taken != cut || (img.Subchannels() != nil) != cut || len(remarks) != 1 || remarks[0].Kind != test.want {
					t.Errorf("taken: %t, remarks: %v", taken, remarks)
				}
				return
			}
			if !taken || len(remarks) > 0 || img.Subchannels() == nil {
				t.Fatalf("taken: %t, remarks: %v", taken, remarks)
			}
			var got []byte
			for _, tr := range img.Layout().Tracks() {
				p := make([]byte, tr.Sectors()*cdsector.SubSize)
				if err := img.Subchannels().ReadSubchannel(t.Context(), p, tr.Begin()); err != nil {
					t.Fatal(err)
				}
				got = append(got, p...)
			}
			for i := 0; i < len(sub); i += cdsector.SubSize {
				if bytes.Equal(sub[i:i+24], make([]byte, 24)) {
					continue // made from the layout
				}
				if !bytes.Equal(got[i:i+cdsector.SubSize], sub[i:i+cdsector.SubSize]) {
					t.Fatalf("other sub-channels in sector %d of the files", i/cdsector.SubSize)
				}
			}
		})
	}
}

// Of an image that was cut short, the .sub is still that of the whole disc.
func TestSubOfCutImage(t *testing.T) {
	dir := t.TempDir()
	if _, err := testdisc.Make(dir, "iso"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "data.cue")
	if err := os.WriteFile(path, []byte("FILE iso.iso BINARY\nTRACK 01 MODE1/2048\nINDEX 01 00:00:00\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	whole, _ := openRemarked(t, path)
	end := whole.Layout().End()
	if err := os.WriteFile(filepath.Join(dir, "data.sub"), plainSub(whole.Layout()), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "iso.iso"), 200*cdsector.UserSize); err != nil {
		t.Fatal(err)
	}
	img, remarks := openRemarked(t, path)
	if len(remarks) != 1 || remarks[0].Kind != format.CutShort || filepath.Base(remarks[0].File) != "iso.iso" {
		t.Errorf("remarks: %v", remarks)
	}
	if img.Layout().End() != end || img.Subchannels() == nil {
		t.Errorf("%d sectors of %d; sub-channels: %v", img.Layout().End(), end, img.Subchannels())
	}
}
